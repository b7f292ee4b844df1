import { parse as parseYaml, YAMLParseError } from "yaml";
import { z } from "zod";
import { type Problem, problemsOf, SpecError } from "./problem.ts";
import { type RoleName, roleName, roles } from "./role.ts";

const port = z.number().int().min(0).max(65535).describe("TCP port; 0 = any free one");
const name = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "small letters, digits and dashes, beginning with a letter");

const ports = z
  .strictObject({
    router: port.default(8080).describe("where requests to apps and to the API arrive"),
    controller: port.default(9022).describe("the controller's API behind the router"),
    nats: port.default(4222).describe("the bus"),
    files: port.default(12345).describe("a DEA's file server"),
    instances: z
      .string()
      .regex(/^\d+-\d+$/, 'a range such as "61001-65000"')
      .default("61001-65000")
      .describe("ports that apps listen on"),
  })
  .prefault({});

const nodeGroup = z.strictObject({
  name: name.describe("nodes are called <name>-0, <name>-1 …"),
  count: z.number().int().min(1).max(1000).default(1),
  roles: z.array(roleName).min(1),
  zone: z.string().default("default").describe("where the node stands; instances of an app are spread over zones"),
  memory: z.number().int().min(64).optional().describe("MiB that apps may use; default: half of the machine's"),
  disk: z.number().int().min(64).optional().describe("MiB of disk that apps may use; default: half of what is free"),
});

/** What `cluster.yaml` says. */
export const clusterSpec = z.strictObject({
  name: name.describe("the cluster's name"),
  domain: z
    .string()
    .regex(/^[a-z0-9.-]+$/, "a DNS name")
    .describe("apps answer at <app>.<domain>, the API at api.<domain>"),
  beat: z.number().min(20).max(60_000).default(1000).describe("milliseconds: every interval is a multiple of it"),
  crashLifetime: z.number().min(0).default(3600).describe("seconds that a crashed instance and its files are kept"),
  ports,
  nodes: z.array(nodeGroup).min(1),
});
export type ClusterSpec = z.output<typeof clusterSpec>;
export type NodeGroup = z.output<typeof nodeGroup>;

/** Text of a `cluster.yaml` → spec. Throws SpecError with every problem and its path. */
export function parseCluster(text: string, file = "cluster.yaml"): ClusterSpec {
  const result = clusterSpec.safeParse(readYaml(text, file));
  if (!result.success) throw new SpecError(file, problemsOf(result.error));
  const problems = problemsOfSet(result.data);
  if (problems.length > 0) throw new SpecError(file, problems);
  return result.data;
}

function readYaml(text: string, file: string): unknown {
  try {
    return parseYaml(text);
  } catch (error) {
    if (!(error instanceof YAMLParseError)) throw error;
    const line = error.linePos?.[0].line ?? 1;
    throw new SpecError(file, [{ path: `line ${line}`, message: error.message.split("\n")[0] ?? "is not YAML" }]);
  }
}

/** Checks what only shows when the parts are seen together. */
function problemsOfSet(spec: ClusterSpec): Problem[] {
  const count = (role: RoleName) =>
    spec.nodes.filter((group) => group.roles.includes(role)).reduce((sum, group) => sum + group.count, 0);
  const problems: Problem[] = [];
  const cores = count("core");
  if (cores % 2 === 0)
    problems.push({ path: "nodes", message: `${cores} nodes have the role core: it takes 1, 3 or 5` });
  for (const role of ["controller", "router"] as const)
    if (count(role) === 0) problems.push({ path: "nodes", message: `no node has the role ${role}: give it to one` });
  const names = spec.nodes.map((group) => group.name);
  for (const [i, group] of spec.nodes.entries()) {
    if (names.indexOf(group.name) !== i)
      problems.push({ path: `nodes[${i}].name`, message: `${group.name} is used twice: names of groups are unique` });
    for (const role of group.roles.filter((one) => !roles[one].available))
      problems.push({ path: `nodes[${i}].roles`, message: `${role} cannot be run yet: leave it out` });
  }
  return [...problems, ...portClashes(spec)];
}

function portClashes({ ports: { instances, ...single } }: ClusterSpec): Problem[] {
  const [first = 0, last = 0] = instances.split("-").map(Number);
  const problems: Problem[] = [];
  const seen = new Map<number, string>();
  if (first > last || last > 65535)
    problems.push({ path: "ports.instances", message: `${instances} is no range of ports` });
  for (const [key, value] of Object.entries(single)) {
    if (value === 0) continue;
    const other = seen.get(value) ?? (value >= first && value <= last ? "instances" : undefined);
    if (other) problems.push({ path: `ports.${key}`, message: `${value} is taken by ports.${other}: choose another` });
    seen.set(value, key);
  }
  return problems;
}
