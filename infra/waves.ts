import type { PlannedNode } from "../roles/plan.ts";

/**
 * The order of births. Where the addresses of cores are known beforehand all are born at once. A core whose address EC2
 * chooses comes first, and the others wait until they can be told it. Within a wave all are born at once.
 */
export function waves(nodes: readonly PlannedNode[]): PlannedNode[][] {
  const isUnknown = ({ roles, address }: PlannedNode) => roles.includes("core") && address === undefined;
  const first = nodes.filter(isUnknown);
  const rest = nodes.filter((node) => !isUnknown(node));
  return [first, rest].filter((wave) => wave.length > 0);
}
