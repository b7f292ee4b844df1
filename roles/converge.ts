import { type RoleName, roles } from "./role.ts";

/** One step from what runs to what should run. `reason` is a sentence for the log. */
export interface Step {
  readonly do: "start" | "stop";
  readonly component: string;
  readonly reason: string;
}

/** The components of a set of roles, in the order in which they start. */
export function componentsOf(wanted: readonly RoleName[]): string[] {
  const order = Object.keys(roles) as RoleName[];
  return order.filter((role) => wanted.includes(role)).flatMap((role) => [...roles[role].components]);
}

/** What to do so that `running` becomes what the roles want: stops first, in reverse order of starting, then starts. */
export function converge(wanted: readonly RoleName[], running: readonly string[]): Step[] {
  const should = componentsOf(wanted);
  const stops = running
    .filter((component) => !should.includes(component))
    .toReversed()
    .map((component): Step => ({ do: "stop", component, reason: "no role of this node needs it any longer" }));
  const starts = should
    .filter((component) => !running.includes(component))
    .map(
      (component): Step => ({ do: "start", component, reason: `a role of this node needs it: ${wanted.join(", ")}` }),
    );
  return [...stops, ...starts];
}
