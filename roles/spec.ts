import { parse as parseYaml, YAMLParseError } from "yaml";
import { z } from "zod";
import { awsSpec, zoneLetter } from "./aws.ts";
import { problemsOf, SpecError } from "./problem.ts";
import { roleName } from "./role.ts";
import { problemsOfSet } from "./set.ts";

const port = z.number().int().min(0).max(65535).describe("TCP port; 0 = any free one");
const name = z.string().regex(/^[a-z][a-z0-9-]{0,30}$/, "small letters, digits and dashes, beginning with a letter");

const ports = z
  .strictObject({
    router: port.default(8080).describe("where requests to apps and to the API arrive"),
    controller: port.default(9022).describe("the controller's API behind the router"),
    nats: port.default(4222).describe("the bus"),
    routes: port.default(6222).describe("where cores meet cores"),
    files: port.default(12345).describe("a DEA's file server"),
    instances: z
      .string()
      .regex(/^\d+-\d+$/, 'a range such as "61001-65000"')
      .default("61001-65000")
      .describe("ports that apps listen on"),
    status: z
      .string()
      .regex(/^\d+-\d+$/, 'a range such as "9100-9109"')
      .default("9100-9109")
      .describe("status servers of the components, one each"),
  })
  .prefault({});

const nodeGroup = z.strictObject({
  name: name.describe("nodes are called <name>-0, <name>-1 …"),
  count: z.number().int().min(1).max(1000).default(1),
  roles: z.array(roleName).min(1),
  zone: z.string().default("default").describe("where the node stands; instances of an app are spread over zones"),
  memory: z.number().int().min(64).optional().describe("MiB that apps may use; default: half of the machine's"),
  disk: z.number().int().min(64).optional().describe("MiB of disk that apps may use; default: half of what is free"),
  instanceType: z
    .string()
    .regex(/^[a-z][a-z0-9-]*\.[a-z0-9-]+$/, "an EC2 type such as t3.medium")
    .optional()
    .describe("EC2: size of the machine; default t3.medium, or t4g.medium on arm64"),
  zones: z.array(zoneLetter).min(1).optional().describe("EC2: zones of this group; default: those of the cluster"),
  volume: z.number().int().min(8).max(16384).optional().describe("EC2: GiB of the machine's disk; default 20"),
  spot: z.boolean().optional().describe("EC2: cheaper, may be taken away at two minutes' notice"),
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
  aws: awsSpec.optional().describe("where on EC2 the cluster stands; absent: on machines of your own"),
  nodes: z.array(nodeGroup).min(1),
});
export type ClusterSpec = z.output<typeof clusterSpec>;
export type NodeGroup = z.output<typeof nodeGroup>;

/** Text of a `cluster.yaml` → spec. Throws SpecError with every problem and its path: parts first, then the set. */
export function parseCluster(text: string, file = "cluster.yaml"): ClusterSpec {
  const value = readYaml(text, file);
  const result = clusterSpec.safeParse(value);
  if (!result.success) throw new SpecError(file, problemsOf(result.error, value));
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
    throw new SpecError(file, [{ path: `line ${line}`, message: complaint(error) }]);
  }
}

/** Its first line ends in the place, which we name ourselves, and a colon before the text that it shows. */
function complaint({ message }: YAMLParseError): string {
  const [first = ""] = message.split("\n");
  return first.replace(/( at line \d+, column \d+)?:?$/, "") || "is not YAML";
}
