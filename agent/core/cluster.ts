import { createHmac } from "node:crypto";

/** What a core is told of the cluster of several machines that it belongs to. */
export interface Cluster {
  /** Id of its node. */
  readonly node: string;
  readonly name: string;
  /** Addresses of all cores, its own among them. */
  readonly cores: readonly string[];
  /** PEM of the cluster's authority. */
  readonly ca: string;
  /** Directory with `authority.json`; the core keeps its node's key and certificate there. */
  readonly identity: string;
  /** The machine's own name. */
  readonly instance: string;
  /** Port at which cores meet cores. */
  readonly routes: number;
  /** What its node is born as. */
  readonly roles: readonly string[];
}

/** On how many cores each thing is kept: on three, one may be lost and every write is still there. */
export function copies(cores: readonly string[]): number {
  return cores.length >= 3 ? 3 : 1;
}

/**
 * Passwords that every core knows without being told. No node's certificate opens a route, because nodes do not have
 * the join secret; and they stay the same over reloads, which would otherwise cut off those who use them.
 */
export function passwordFor(purpose: "routes" | "joiner", join: string): string {
  return createHmac("sha256", join).update(`tutti ${purpose}`).digest("hex");
}
