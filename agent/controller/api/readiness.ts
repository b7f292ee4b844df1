import type { ComponentView, NodeView } from "../engine.ts";

export interface Readiness {
  ready: boolean;
  components: { type: string; expected: number; healthy: number }[];
  /** A sentence for each thing that is missing. */
  missing: string[];
}

/** Components as nodes name them → as they name themselves on the bus. */
const types: Record<string, string> = {
  core: "Core",
  controller: "CloudController",
  health: "HealthManager",
  router: "Router",
  stager: "Stager",
  dea: "DEA",
};

/** Whether everything is there and well: at least one of each type, and one for each node that should run it. */
export function readiness(
  wanted: readonly string[],
  { nodes, components }: { nodes: readonly NodeView[]; components: readonly ComponentView[] },
): Readiness {
  const should = new Map(wanted.map((type) => [type, 1]));
  const up = nodes.filter(({ state }) => state === "UP").flatMap((node) => node.components);
  for (const [name, type] of Object.entries(types)) {
    const count = up.filter((one) => one.name === name).length;
    if (count > 0) should.set(type, count);
  }
  const counted = [...should].map(([type, expected]) => ({
    type,
    expected,
    healthy: components.filter((one) => one.type === type && one.healthy).length,
  }));
  const missing = counted
    .filter(({ expected, healthy }) => healthy < expected)
    .map(({ type, expected, healthy }) => `${type}: ${healthy} of ${expected} are there and healthy`);
  return { ready: missing.length === 0, components: counted, missing };
}
