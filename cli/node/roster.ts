import type { Found } from "../../infra/inventoryFound.ts";
import type { Node } from "../cluster.ts";
import type { ClusterNodes, Member } from "./membership.ts";

/**
 * How it stands with a node. `JOINING`: its machine is there, and no core has let it in yet. `SILENT`: it was let in, and
 * this controller has not heard it within the last hour.
 */
export type Standing = Node["state"] | "SILENT" | "JOINING" | "REMOVED";

export interface Enrolled {
  readonly id: string;
  readonly state: Standing;
  readonly roles: readonly string[];
  readonly address: string;
  /** "" when nobody has heard it. */
  readonly version: string;
  /** Unix milliseconds; 0: never. */
  readonly seen: number;
  readonly components: Node["components"];
  /** The machine's own name, "" when nobody says. */
  readonly instance: string;
  readonly instances?: number | undefined;
  /** Of EC2: `running`, `stopped` …; absent when the machine is not there, or EC2 was not asked. */
  readonly machine?: string | undefined;
  readonly publicAddress?: string | undefined;
}

/** One list of all that is known of nodes: who is heard on the bus, who was let in, what machines there are. Pure. */
export function roster({ nodes, members }: ClusterNodes, machines: readonly Found[] = []): Enrolled[] {
  const ids = new Set([
    ...nodes.map(({ id }) => id),
    ...members.map(({ id }) => id),
    ...machines.map(({ node }) => node),
  ]);
  const all = [...ids].map((id) => {
    const member = members.find((one) => one.id === id);
    const heard = nodes.find((one) => one.id === id);
    return enrolled(id, { heard, member, machine: machineOf(id, member, machines) });
  });
  return all.sort((one, other) => one.id.localeCompare(other.id, "en", { numeric: true }));
}

/** A machine that is replaced may still be there: the one that was let in counts, else the newest. */
function machineOf(id: string, member: Member | undefined, machines: readonly Found[]): Found | undefined {
  const mine = machines.filter(({ node }) => node === id);
  const newest = mine.toSorted((one, other) => (other.created ?? 0) - (one.created ?? 0))[0];
  return mine.find((one) => one.id === member?.instance) ?? newest;
}

interface Known {
  readonly heard: Node | undefined;
  readonly member: Member | undefined;
  readonly machine: Found | undefined;
}

function enrolled(id: string, { heard, member, machine }: Known): Enrolled {
  const removed = member?.removed !== undefined;
  const silent: Standing = removed ? "REMOVED" : member ? "SILENT" : "JOINING";
  return {
    id,
    state: removed ? "REMOVED" : (heard?.state ?? silent),
    roles: heard?.roles ?? member?.roles ?? machine?.machine?.roles ?? [],
    address: heard?.address || member?.address || machine?.machine?.privateAddress || "",
    version: heard?.version ?? "",
    seen: heard?.seen ?? 0,
    components: heard?.components ?? [],
    instance: member?.instance ?? machine?.id ?? "",
    instances: member?.instances,
    machine: machine?.machine?.state,
    publicAddress: machine?.machine?.publicAddress || undefined,
  };
}
