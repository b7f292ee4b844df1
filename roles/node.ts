import { z } from "zod";
import { problemsOf, SpecError } from "./problem.ts";
import { roleName } from "./role.ts";

const port = z.number().int().min(0).max(65535);

/** What a new machine shows a core to be let in; made and checked by `pki/claim.ts`. */
export const claimShape = z.strictObject({
  id: z.string(),
  roles: z.array(z.string()),
  expires: z.iso.datetime(),
  secret: z.string(),
});

/** How a node comes into a cluster of several. */
const joining = z.strictObject({
  /** Addresses of all cores, this node's own among them when it is one. */
  cores: z.array(z.string()).min(1),
  /** PEM of the cluster's certificate authority. */
  ca: z.string(),
  claim: claimShape,
  /** The machine's own name: EC2's instance id, or what is in /etc/machine-id. */
  instance: z.string(),
});

/** What a node is born with: `node.json`, written by cloud-init or by `tutti solo up`. Paths are absolute. */
export const nodeSpec = z.strictObject({
  id: z.string().regex(/^[a-z0-9-]+$/),
  cluster: z.string(),
  domain: z.string(),
  /** The roles at birth. From then on the store says what the node should be. */
  roles: z.array(roleName).min(1),
  index: z.number().int().min(0).default(0),
  /** IP at which the other nodes reach this one. */
  address: z.string(),
  zone: z.string().default("default"),
  /** Milliseconds. */
  beat: z.number().min(20).default(1000),
  /** Directory of everything the node keeps. */
  home: z.string(),
  /** Directory with nats-server and haproxy. */
  tools: z.string(),
  /** Directory of instances of apps: other users must be able to enter its parents. Default: below `home`. */
  apps: z.string().optional(),
  /** PATH of apps and of the package managers that build them. Default: that of the agent, its own Node first. */
  path: z.string().optional(),
  /** IP at which the router listens. Default: `address`. */
  bind: z.string().optional(),
  ports: z.strictObject({
    router: port,
    controller: port,
    nats: port,
    files: port,
    instances: z.strictObject({ first: port, last: port }),
    /** Where cores meet cores. */
    routes: port.default(0),
    /** Status servers of the components, one each; 0: any free ones. */
    status: z.strictObject({ first: port, last: port }).default({ first: 0, last: 0 }),
  }),
  /** Absent: the machine is a cluster by itself, and its bus stays on it. */
  join: joining.optional(),
  /** MiB that apps may use. */
  memory: z.number().int().min(1),
  disk: z.number().int().min(1),
  crashLifetime: z.number().min(0).default(3600),
  /** What happens to instances of apps when the agent is told to stop: an upgrade leaves them, a farewell stops them. */
  onStop: z.enum(["leave", "stop"]).default("leave"),
  /** File that takes the bus server's protocol trace: for looking closely, not for every day. */
  trace: z.string().optional(),
});
export type NodeSpec = z.output<typeof nodeSpec>;

/** Text of a `node.json` → spec. Throws SpecError with every problem and its path. */
export function parseNode(text: string, file = "node.json"): NodeSpec {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new SpecError(file, [{ path: "(top)", message: "is not JSON" }]);
  }
  const result = nodeSpec.safeParse(json);
  if (!result.success) throw new SpecError(file, problemsOf(result.error, json));
  return result.data;
}
