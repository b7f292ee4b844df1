import type { Call } from "../call.ts";
import { exits, wrongUsage } from "../fault.ts";
import { ask } from "../prompt.ts";
import { nodeLines, nodesIn } from "./nodeLines.ts";
import { rowOf } from "./progress.ts";
import { act, openStack, type Work } from "./work.ts";

/** `tutti destroy SPEC`: the cluster with all that is in it. One that is not there is no error. */
export async function destroy(call: Call): Promise<number> {
  const { io } = call;
  if (!call.flag("yes") && !io.stdin.isTTY)
    throw wrongUsage("there is no terminal to ask at whether you are sure", `tutti destroy ${call.arg(0)} --yes`);
  const work = await openStack(call);
  const { cluster, stack } = work.about;
  const nothing = { nodes: [], outputs: {}, changes: [] };
  if (work.before === undefined) {
    io.result({ ok: true, ...nothing }, `there is no cluster ${cluster} in stack ${stack}: nothing to do`);
    return exits.done;
  }
  if (!call.flag("yes") && !(await sure(work, call))) {
    io.result({ ok: false, ...nothing, nodes: nodesIn(work.before) }, "nothing was destroyed");
    return exits.failed;
  }
  const { changes } = await act(work, "destroy", { call });
  const rows = changes.map((change) => rowOf(change, work.about));
  io.result(
    { ok: true, ...nothing, changes: rows },
    `cluster ${cluster} of stack ${stack} is gone: ${rows.length} resources`,
  );
  return exits.done;
}

async function sure(work: Work, { io }: Call): Promise<boolean> {
  for (const line of nodeLines(nodesIn(work.before))) io.note(line);
  const question = `Destroy ${work.about.cluster} (stack ${work.about.stack}) with every app and droplet in it? Type its name: `;
  return (await ask(io, question)) === work.about.cluster;
}
