import type { PlannedNode } from "../roles/plan.ts";
import type { RoleName } from "../roles/role.ts";
import type { Effect } from "./effects.ts";

/** A node whose machine goes, for good or for a moment. */
export interface Replacement {
  readonly node: string;
  /** Those it has and those it will have. */
  readonly roles: readonly RoleName[];
  /** `restart`: the same machine stops and starts. */
  readonly kind: "replace" | "restart";
  /** True where the old machine has to go before the new one can come: they would have the same address. */
  readonly oldFirst: boolean;
}

/**
 * In which order machines are replaced: batch after batch, each of which may be done at once. No two nodes of a batch
 * have a role in common, so that each role loses one node at most at any time. Cores come last, when all others have
 * shown that the new image or size does, and each alone, so that the others are still a majority.
 */
export function replacements(effects: readonly Effect[], after: readonly PlannedNode[]): Replacement[][] {
  const order = new Map(after.map((node, place) => [node.id, { node, place }]));
  const all = effects
    .flatMap(({ node, kind, roles }) => {
      const wanted = order.get(node);
      if (!wanted || (kind !== "replace" && kind !== "restart")) return [];
      return [{ place: wanted.place, one: replacementOf(wanted.node, kind, roles) }];
    })
    .sort((one, other) => one.place - other.place)
    .map(({ one }) => one);
  const isCore = ({ roles }: Replacement) => roles.includes("core");
  return [...apart(all.filter((one) => !isCore(one))), ...all.filter(isCore).map((one) => [one])];
}

function replacementOf(node: PlannedNode, kind: Replacement["kind"], had: readonly RoleName[]): Replacement {
  const roles = [...new Set([...had, ...node.roles])];
  return { node: node.id, roles, kind, oldFirst: kind === "replace" && node.address !== undefined };
}

/** Each into the first batch in which nobody has one of its roles. */
function apart(all: readonly Replacement[]): Replacement[][] {
  const batches: Replacement[][] = [];
  for (const one of all) {
    const free = batches.find((batch) => !batch.some(({ roles }) => roles.some((role) => one.roles.includes(role))));
    if (free) free.push(one);
    else batches.push([one]);
  }
  return batches;
}
