import type { Instance } from "../resources.ts";

/** What can be said of a start by its instances so far. */
export type Verdict = { kind: "up" } | { kind: "waiting"; why: string } | { kind: "failed"; code: string; why: string };

export interface Watch {
  /** Milliseconds since the start was asked for. */
  elapsed: number;
  /** Milliseconds an instance may take until it listens. */
  timeout: number;
  /** Since when (same clock as `elapsed`) no DEA has had room; undefined when one had. */
  homelessFor?: number | undefined;
  /** Slots whose first instance is gone already. */
  died?: ReadonlySet<number>;
}

/** What earlier looks saw: the cluster starts crashed instances again at once, so that a look may miss the crash. */
export interface Seen {
  ids: ReadonlyMap<number, string>;
  died: ReadonlySet<number>;
}

export const nothingSeen: Seen = { ids: new Map(), died: new Set() };

/** Pure: a slot that holds another instance than before, and still none that runs, has lost one. */
export function look({ ids, died }: Seen, instances: readonly Instance[]): Seen {
  const now = new Map(ids);
  const gone = new Set(died);
  for (const { index, state, instance_guid: id } of instances) {
    if (!id) continue;
    const before = now.get(index);
    if (state === "CRASHED" || (before !== undefined && before !== id)) gone.add(index);
    now.set(index, id);
  }
  return { ids: now, died: gone };
}

/** Stands where a reason would, when the look came too late for it. */
export const unexplained = "its instances end before they are up";

/** How long "no room" is waited out: other apps may be stopping. */
const homelessLimit = 10_000;
/** Placement, download and unpacking come on top of what an instance may take itself. */
const slack = 60_000;

/** Pure: one running instance is a success, all crashed is a failure, everything else takes its time. */
export function verdict(instances: readonly Instance[], { elapsed, timeout, homelessFor = 0, died }: Watch): Verdict {
  if (instances.some((each) => each.state === "RUNNING")) return { kind: "up" };
  const told = instances.find((each) => each.details);
  const crashed = instances.filter((each) => each.state === "CRASHED" || died?.has(each.index));
  if (instances.length && crashed.length === instances.length) {
    const why = crashed.find((each) => each.details)?.details ?? unexplained;
    return { kind: "failed", code: "start_crashed", why: `the app crashed: ${why}` };
  }
  const details = told?.details ?? "";
  if (homelessFor >= homelessLimit) return { kind: "failed", code: "no_room", why: `no place for the app: ${details}` };
  if (elapsed > timeout + slack) {
    const why = `no instance is running after ${Math.round(elapsed / 1000)} s${details ? `: ${details}` : ""}`;
    return { kind: "failed", code: "start_timeout", why };
  }
  return { kind: "waiting", why: waitingFor(instances) };
}

/** Down with a reason and nothing under way: placement found no room. */
export function homeless(instances: readonly Instance[]): boolean {
  return (
    instances.length > 0 && instances.every((each) => each.state === "DOWN") && instances.some((each) => each.details)
  );
}

function waitingFor(instances: readonly Instance[]): string {
  const first = instances[0];
  if (!first) return "waiting for an instance";
  const details = first.details ? ` (${first.details})` : "";
  return first.state === "STARTING" ? `instance ${first.index} is starting${details}` : `waiting for a DEA${details}`;
}
