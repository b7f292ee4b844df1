import type { PlannedNode } from "../roles/plan.ts";

/**
 * The order of births: the first core, the other cores, everybody else. Each is told the addresses of the cores before
 * it, so a wave waits for the addresses of the one before. Within a wave all are born at once.
 */
export function waves(nodes: readonly PlannedNode[]): PlannedNode[][] {
  const [first, ...others] = nodes.filter(({ roles }) => roles.includes("core"));
  const rest = nodes.filter(({ roles }) => !roles.includes("core"));
  return [first ? [first] : [], others, rest].filter((wave) => wave.length > 0);
}
