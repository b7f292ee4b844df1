import type { Facts } from "./admission.ts";
import type { OfficeOptions } from "./office.ts";

export interface Neighbours extends Pick<Facts, "sameKey" | "sameAddress"> {
  /** Nodes that had the address and are not heard of any more. */
  readonly gone: readonly string[];
}

export interface Newcomer {
  readonly node: string;
  readonly address: string;
  readonly key?: string;
}

/** Who else has what a node wants for itself. */
export function neighboursOf(
  { node, address, key }: Newcomer,
  { roster, pulse, cluster, reserved }: Pick<OfficeOptions, "roster" | "pulse" | "cluster" | "reserved">,
): Neighbours {
  const others = [...roster.knowledge.members].filter(([id]) => id !== node);
  const here = isLoopback(address) ? [] : others.filter(([, { address: theirs }]) => theirs === address);
  const living = here.find(([id, { revoked }]) => revoked === undefined && pulse.alive(id));
  // Nobody may pass for a core: whoever dials one asks for a certificate with its address.
  const core = !isLoopback(address) && cluster.cores.includes(address) ? "a core" : undefined;
  const twin = others.find(([, member]) => member.revoked === undefined && member.key === key);
  return {
    sameKey: key !== undefined && reserved.has(key) ? "of this core" : twin?.[0],
    sameAddress: core ?? living?.[0],
    gone: here.map(([id]) => id),
  };
}

/** Every machine has these. */
const isLoopback = (address: string) => address.startsWith("127.") || address === "::1";
