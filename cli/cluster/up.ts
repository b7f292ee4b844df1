import type { Effect } from "../../infra/effects.ts";
import type { Call } from "../call.ts";
import { exits, Fault, wrongUsage } from "../fault.ts";
import { ask } from "../prompt.ts";
import { effectLines, nodeLines, nodesIn } from "./nodeLines.ts";
import { foresee, foreseenLines } from "./preview.ts";
import { rowOf } from "./progress.ts";
import { act, effectsOf, openProgram, type Work } from "./work.ts";

/** `tutti up SPEC`: shows what it would do and asks, unless `--yes`. */
export async function up(call: Call): Promise<number> {
  const { io } = call;
  if (!call.flag("yes") && !io.stdin.isTTY)
    throw wrongUsage("there is no terminal to ask at whether this is wanted", `tutti up ${call.arg(0)} --yes`);
  const work = await openProgram(call);
  const effects = await effectsOf(work);
  refuseImpossible(effects);
  if (call.flag("yes")) for (const line of effectLines(effects)) io.note(line);
  else if (!(await wanted(work, call))) return exits.failed;
  const began = performance.now();
  const { changes, outputs = work.before ?? {} } = await act(work, "up", call);
  const rows = changes.map((change) => rowOf(change, work.about));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const nodes = nodesIn(outputs);
  const summary = rows.length === 0 ? "nothing to do" : `${rows.length} resources in ${seconds} s`;
  io.result({ ok: true, nodes, outputs, changes: rows, effects }, farewell(work, outputs, summary));
  return exits.done;
}

/** A disk that should shrink fails only after everything else was done: better before. */
function refuseImpossible(effects: readonly Effect[]): void {
  const impossible = effects.filter(({ kind }) => kind === "refuse");
  if (impossible.length === 0) return;
  const why = impossible.map(({ node, because }) => `${node}: ${because.join("; ")}`);
  throw new Fault(["EC2 would refuse this:", ...why].join("\n  "), {
    code: "impossible",
    hint: "write the larger size, or give the group another name: then its nodes are made anew",
  });
}

async function wanted(work: Work, call: Call): Promise<boolean> {
  const { io } = call;
  const foreseen = await foresee(work, call);
  for (const line of foreseenLines(foreseen)) io.note(line);
  if (foreseen.changes.length === 0) return true;
  const said = await ask(io, "\nDo this? [y/N] ");
  if (/^y(es)?$/i.test(said)) return true;
  io.result({ ok: false, nodes: nodesIn(work.before), outputs: work.before ?? {}, changes: [] }, "nothing was done");
  return false;
}

function farewell({ offline, file }: Work, outputs: Readonly<Record<string, unknown>>, summary: string): string {
  const { api, next } = outputs;
  return [
    summary,
    "",
    ...nodeLines(nodesIn(outputs)),
    "",
    `  API   ${String(api ?? "")}`,
    `  next  ${String(next ?? "")}`,
    ...(offline ? [`        (offline: nothing boots. tutti destroy ${file} --offline, tutti offline down)`] : []),
  ].join("\n");
}
