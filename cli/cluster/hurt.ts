import type { Effect } from "../../infra/effects.ts";
import type { RoleName } from "../../roles/role.ts";

/** A role that some nodes go without while a change is carried out. */
export interface Hurt {
  readonly role: RoleName;
  /** Nodes with this role that are away. */
  readonly away: readonly string[];
  /** How many nodes have it now. */
  readonly of: number;
}

/** What no longer works while nobody has a role. What is not here is missed by nobody at once. */
const without: Partial<Record<RoleName, string>> = {
  core: "no messages and no changes; apps that run go on",
  controller: "no API: nothing can be pushed or changed; apps that run go on",
  router: "no request reaches the API or an app",
  health: "an instance that crashes is not started again",
  stager: "nothing can be pushed",
  dea: "no app runs",
};

const awayKinds: readonly Effect["kind"][] = ["delete", "replace", "restart"];

/** The roles that are away on some node meanwhile, those that nobody is left with first. */
export function hurtRoles(
  before: readonly { readonly id: string; readonly roles: readonly RoleName[] }[],
  effects: readonly Effect[],
): Hurt[] {
  const gone = new Set(effects.filter(({ kind }) => awayKinds.includes(kind)).map(({ node }) => node));
  const roles = [...new Set(before.flatMap((node) => node.roles))];
  const hurt = roles.map((role): Hurt => {
    const holders = before.filter((node) => node.roles.includes(role)).map(({ id }) => id);
    return { role, away: holders.filter((id) => gone.has(id)), of: holders.length };
  });
  return hurt.filter(({ away }) => away.length > 0).sort((one, other) => left(one) - left(other));
}

const left = ({ away, of }: Hurt): number => Math.min(1, of - away.length);

/** For a person: who is away, how many are left, and what that means when nobody is. */
export function hurtLines(hurt: readonly Hurt[]): string[] {
  const widest = Math.max(...hurt.map(({ role }) => role.length));
  const lines = hurt.map(({ role, away, of }) => {
    const rest = of - away.length;
    const then = rest > 0 ? `${rest} of ${of} stay` : `none is left: ${without[role] ?? "nobody does its work"}`;
    return `  ${role.padEnd(widest)}  away on ${away.join(", ")}; ${then}`;
  });
  return ["Roles that are away meanwhile:", ...lines];
}
