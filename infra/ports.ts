import { type PortName, type RoleName, roles } from "../roles/role.ts";
import { coresOf, portRange } from "../roles/set.ts";
import type { ClusterSpec } from "../roles/spec.ts";

/** One opening in the firewall. Whatever no rule opens is shut. */
export interface Opening {
  /** Unique in its firewall. */
  readonly name: string;
  readonly first: number;
  readonly last: number;
  /** A network, or "cluster": the other nodes. */
  readonly from: string;
  readonly why: string;
}

/** The openings of a group of nodes: the ports of its roles, each only to those who have business there. */
export function openings(spec: ClusterSpec, wanted: readonly RoleName[]): Opening[] {
  // A core that is alone has no other to meet.
  const named = new Set<PortName>(coresOf(spec) > 1 ? [] : ["routes"]);
  const all = wanted.flatMap((role) =>
    roles[role].ports
      // A port for the node itself needs no opening: loopback knows no firewall. What two roles share is opened once.
      .filter(({ audience, name }) => audience !== "node" && !named.has(name) && named.add(name))
      .map(({ name, audience }) => ({
        name,
        ...numbers(spec, name),
        from: audience === "everyone" ? "0.0.0.0/0" : "cluster",
        why: `${role}: ${name}`,
      })),
  );
  return all.sort((one, other) => one.name.localeCompare(other.name));
}

/** The openings of every node, whatever it is for: ssh, from where the spec says. */
export function doors({ aws }: ClusterSpec): Opening[] {
  return (aws?.ssh?.from ?? []).map((from) => ({
    // The network is the name: taking one out of the list leaves the others as they are.
    name: `ssh-${from.replace(/[./]/g, "-")}`,
    first: 22,
    last: 22,
    from,
    why: "ssh, from where cluster.yaml says",
  }));
}

function numbers(spec: ClusterSpec, name: PortName): { first: number; last: number } {
  if (name === "instances" || name === "status") return portRange(spec, name);
  return { first: spec.ports[name], last: spec.ports[name] };
}
