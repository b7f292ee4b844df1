import type { Effect } from "../../infra/effects.ts";
import { plan } from "../../roles/plan.ts";
import type { Call } from "../call.ts";
import { exits } from "../fault.ts";
import { amount, costJson, costLines, costsOf, costsWanted, overFault } from "./costs.ts";
import { type Hurt, hurtLines, hurtRoles } from "./hurt.ts";
import { effectLines, nodesIn } from "./nodeLines.ts";
import { type ChangeRow, planLines, rowOf } from "./progress.ts";
import { act, effectsOf, openProgram, type Work } from "./work.ts";

export interface Foreseen {
  readonly changes: readonly ChangeRow[];
  readonly effects: readonly Effect[];
  readonly hurt: readonly Hurt[];
}

/** What an `up` would do: seen by the engine (resources) and by us (what it means for the nodes and their roles). */
export async function foresee(work: Work, call: Call): Promise<Foreseen> {
  const effects = await effectsOf(work);
  const { changes } = await act(work, "preview", { call });
  const rows = changes.map((change) => rowOf(change, work.about));
  return { changes: rows, effects, hurt: hurtRoles(nodesIn(work.before), effects) };
}

export function foreseenLines({ changes, effects, hurt }: Foreseen): string[] {
  if (changes.length === 0) return ["nothing to do: everything is as cluster.yaml says"];
  const meaning = effects.length > 0 ? ["", "What that means for the nodes:", ...effectLines(effects)] : [];
  return [...planLines(changes), ...meaning, ...(hurt.length > 0 ? ["", ...hurtLines(hurt)] : [])];
}

/** `tutti preview SPEC`: 0 when there is nothing to do, 2 when there are changes, 1 when a budget is not kept. */
export async function preview(call: Call): Promise<number> {
  const { io } = call;
  const budget = amount(call.text("budget"));
  const work = await openProgram(call);
  const foreseen = await foresee(work, call);
  const nodes = plan(work.spec).map(({ id, roles, zone, machine }) => ({ id, roles, zone, type: machine?.type }));
  const costs = costsWanted(call) ? costsOf(work.spec, work.before, budget) : undefined;
  const found = { nodes, outputs: work.before ?? {}, ...foreseen, ...(costs && { cost: costJson(costs) }) };
  const text = [...foreseenLines(foreseen), ...(costs ? ["", ...costLines(costs)] : [])].join("\n");
  if (costs?.over) {
    if (!io.json) io.out(text);
    throw overFault(costs.over, found);
  }
  io.result({ ok: true, ...found }, text);
  return foreseen.changes.length === 0 ? exits.done : exits.changes;
}
