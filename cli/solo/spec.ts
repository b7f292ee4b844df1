import type { NodeSpec } from "../../roles/node.ts";
import type { ClusterSpec } from "../../roles/spec.ts";
import { Fault } from "../fault.ts";
import type { Machine } from "./machine.ts";

export interface SoloOptions {
  cluster: ClusterSpec;
  machine: Machine;
  home: string;
  tools: string;
  /** A port for a setting that says 0. The one of the last start is kept, so that addresses stay. */
  free: (setting: string) => number;
}

const loopback = "127.0.0.1";

/** The one node of a solo cluster. Throws when the spec describes more than one. */
export function soloNode({ cluster, machine, home, tools, free }: SoloOptions): NodeSpec {
  const [group, ...others] = cluster.nodes;
  if (!group || others.length > 0 || group.count !== 1)
    throw new Fault("a solo cluster has one node, this cluster.yaml has more", {
      code: "not_solo",
      hint: "give all roles to one node, as examples/solo/cluster.yaml does",
    });
  const port = (setting: "router" | "controller" | "nats" | "files") => cluster.ports[setting] || free(setting);
  const [first = 0, last = 0] = cluster.ports.instances.split("-").map(Number);
  return {
    id: `${group.name}-0`,
    cluster: cluster.name,
    domain: cluster.domain,
    roles: group.roles,
    index: 0,
    address: loopback,
    zone: group.zone,
    beat: cluster.beat,
    home,
    tools,
    ports: {
      router: port("router"),
      controller: port("controller"),
      nats: port("nats"),
      files: port("files"),
      instances: { first, last },
      // Alone there is no other core, and who looks at a status server is told where it is.
      routes: 0,
      status: { first: 0, last: 0 },
    },
    memory: group.memory ?? Math.max(512, Math.floor(machine.memory / 2)),
    disk: group.disk ?? Math.max(512, Math.floor(machine.disk / 2)),
    crashLifetime: cluster.crashLifetime,
    // Nobody may be left behind on a person's own machine: what solo started ends with it.
    onStop: "stop",
  };
}
