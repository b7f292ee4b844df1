import type { Effect } from "../../infra/effects.ts";
import type { Call } from "../call.ts";
import { exits, Fault, wrongUsage } from "../fault.ts";
import { ask } from "../prompt.ts";
import { amount, costLines, costsOf, costsWanted, overFault } from "./costs.ts";
import { hurtLines, hurtRoles } from "./hurt.ts";
import { effectLines, nodeLines, nodesIn } from "./nodeLines.ts";
import { machinesBoot } from "./offline/place.ts";
import { foresee, foreseenLines } from "./preview.ts";
import { rowOf } from "./progress.ts";
import { roll } from "./rolling.ts";
import { readSpec } from "./spec.ts";
import { act, effectsOf, openProgram, type Work } from "./work.ts";

/** `tutti up SPEC`: shows what it would do and asks, unless `--yes`. */
export async function up(call: Call): Promise<number> {
  const { io } = call;
  if (!call.flag("yes") && !io.stdin.isTTY)
    throw wrongUsage("there is no terminal to ask at whether this is wanted", `tutti up ${call.arg(0)} --yes`);
  refuseDear(call);
  const work = await openProgram(call);
  const effects = await effectsOf(work);
  refuseImpossible(effects);
  const meant = call.flag("yes") ? announced(work, effects, call) : await wanted(work, call);
  if (!meant) return exits.failed;
  const began = performance.now();
  const { changes, outputs = work.before ?? {} } = await act(work, "up", {
    ...{ call, total: meant.total },
    drive: (watch, note) => roll(work, { ...watch, call, note }),
  });
  const rows = changes.map((change) => rowOf(change, work.about));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  const nodes = nodesIn(outputs);
  const summary = rows.length === 0 ? "nothing to do" : `${rows.length} resources in ${seconds} s`;
  io.result(
    { ok: true, nodes, outputs, changes: rows, effects },
    farewell(work, { outputs, summary, boots: machinesBoot(io.env) }),
  );
  return exits.done;
}

/** A budget is looked at before anything is asked of anybody. */
function refuseDear(call: Call): void {
  const budget = amount(call.text("budget"));
  if (budget === undefined) return;
  const { over } = costsOf(readSpec(call.arg(0)).spec, undefined, budget);
  if (over) throw overFault(over, { budget, over: over.by, dearest: over.dearest });
}

interface Meant {
  /** How many resources will be worked on, where it is known. */
  readonly total: number | undefined;
}

/** Nobody is asked: what it means for the nodes is said all the same. */
function announced(work: Work, effects: readonly Effect[], { io }: Call): Meant {
  const hurt = hurtRoles(nodesIn(work.before), effects);
  for (const line of [...effectLines(effects), ...(hurt.length > 0 ? hurtLines(hurt) : [])]) io.note(line);
  return { total: undefined };
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

async function wanted(work: Work, call: Call): Promise<Meant | undefined> {
  const { io } = call;
  const foreseen = await foresee(work, call);
  const costs = costsWanted(call) && costsOf(work.spec, work.before, amount(call.text("budget")));
  for (const line of [...foreseenLines(foreseen), ...(costs ? ["", ...costLines(costs)] : [])]) io.note(line);
  const total = foreseen.changes.length;
  if (total === 0) return { total };
  const said = await ask(io, "\nDo this? [y/N] ");
  if (/^y(es)?$/i.test(said)) return { total };
  io.result({ ok: false, nodes: nodesIn(work.before), outputs: work.before ?? {}, changes: [] }, "nothing was done");
  return undefined;
}

interface Told {
  readonly outputs: Readonly<Record<string, unknown>>;
  readonly summary: string;
  /** The offline API is that of a rehearsal. */
  readonly boots: boolean;
}

function farewell({ offline, file }: Work, { outputs, summary, boots }: Told): string {
  const { api, next } = outputs;
  return [
    summary,
    "",
    ...nodeLines(nodesIn(outputs)),
    "",
    `  API   ${String(api ?? "")}`,
    `  next  ${String(next ?? "")}`,
    ...(offline && !boots
      ? [`        (offline: nothing boots. tutti destroy ${file} --offline, tutti offline down)`]
      : []),
  ].join("\n");
}
