import type { Ended } from "../run.ts";
import type { Change } from "./events.ts";

/** A replacement is told in several steps: it stays one, by what its first step is. */
export function worse(before: Change | undefined, now: Change): Change {
  return before && ["replace", "create", "adopt"].includes(before.deed) ? before : now;
}

/** Several runs of the engine as one. */
export function gathered(all: readonly Ended[]): Ended {
  const changes = new Map<string, Change>();
  for (const change of all.flatMap((one) => one.changes))
    changes.set(change.urn, worse(changes.get(change.urn), change));
  return {
    ok: all.every(({ ok }) => ok),
    changes: [...changes.values()],
    outputs: all.findLast(({ outputs }) => outputs)?.outputs,
    complaints: all.flatMap(({ complaints }) => complaints),
    locks: all.flatMap(({ locks }) => locks),
  };
}
