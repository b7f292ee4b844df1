import type { Effect } from "../../infra/effects.ts";
import { plan } from "../../roles/plan.ts";
import type { Call } from "../call.ts";
import { exits } from "../fault.ts";
import { effectLines } from "./nodeLines.ts";
import { type ChangeRow, planLines, rowOf } from "./progress.ts";
import { act, effectsOf, openProgram, type Work } from "./work.ts";

export interface Foreseen {
  readonly changes: readonly ChangeRow[];
  readonly effects: readonly Effect[];
}

/** What an `up` would do: seen by the engine (resources) and by us (what it means for the nodes and their roles). */
export async function foresee(work: Work, call: Call): Promise<Foreseen> {
  const effects = await effectsOf(work);
  const { changes } = await act(work, "preview", call);
  return { changes: changes.map((change) => rowOf(change, work.about)), effects };
}

export function foreseenLines({ changes, effects }: Foreseen): string[] {
  if (changes.length === 0) return ["nothing to do: everything is as cluster.yaml says"];
  return [
    ...planLines(changes),
    ...(effects.length > 0 ? ["", "What that means for the nodes:", ...effectLines(effects)] : []),
  ];
}

/** `tutti preview SPEC`: 0 when there is nothing to do, 2 when there are changes. */
export async function preview(call: Call): Promise<number> {
  const work = await openProgram(call);
  const foreseen = await foresee(work, call);
  const { changes, effects } = foreseen;
  const nodes = plan(work.spec).map(({ id, roles, zone, machine }) => ({ id, roles, zone, type: machine?.type }));
  call.io.result({ ok: true, nodes, outputs: work.before ?? {}, changes, effects }, foreseenLines(foreseen).join("\n"));
  return changes.length === 0 ? exits.done : exits.changes;
}
