import { createHash } from "node:crypto";

export interface DeaOwner {
  index: number;
  /** Public nkey of the node, U…. */
  key: string;
}

/**
 * The id of the DEA of a node in a cluster of several, `<index>-<32 hex>`: it follows from the node's key, so that a
 * core knows which messages speak of it, and a machine that takes the node's place has another one.
 */
export function deaIdOf({ index, key }: DeaOwner): string {
  return `${index}-${createHash("sha256").update(`dea ${key}`).digest("hex").slice(0, 32)}`;
}
