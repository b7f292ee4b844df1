import type { Call } from "../call.ts";
import { exits, Fault } from "../fault.ts";
import { nodesIn } from "./nodeLines.ts";
import { rowOf } from "./progress.ts";
import { act, openStack } from "./work.ts";

/** `tutti refresh SPEC`: looks at what is there; what was changed by hand is shown, and mended by the next `up`. */
export async function refresh(call: Call): Promise<number> {
  const work = await openStack(call);
  const { cluster, stack } = work.about;
  if (work.before === undefined)
    throw new Fault(`there is no cluster ${cluster} in stack ${stack}`, {
      code: "no_stack",
      hint: `tutti up ${call.arg(0)} makes it; --stack NAME names another`,
    });
  const { changes, outputs = work.before } = await act(work, "refresh", { call });
  const rows = changes.map((change) => rowOf(change, work.about));
  const text =
    rows.length === 0
      ? "everything is as it was left"
      : `${rows.length} resources are not as they were left; mend them: tutti up ${call.arg(0)}`;
  call.io.result({ ok: true, nodes: nodesIn(outputs), outputs, changes: rows }, text);
  return exits.done;
}
