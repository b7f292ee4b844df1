import { type Decision, ordered, type Stop } from "./decisions.ts";
import type { Picture } from "./picture.ts";
import { missing, type Question } from "./starts.ts";
import { capped, copies, extra, unknown } from "./stops.ts";
import type { Thresholds } from "./thresholds.ts";
import type { Wanted } from "./wanted.ts";

export interface Analysis {
  /** In the order in which they are to be done. */
  readonly decisions: readonly Decision[];
  /** Instances that are to be stopped and have to wait for the next rounds. */
  readonly later: number;
}

/**
 * Compares what should be with what is. Decides only; `times` in ms. Whoever calls it has made sure that both sides
 * are fresh.
 */
export function analyze(
  desired: Wanted,
  actual: Picture,
  { now, times }: { now: number; times: Thresholds },
): Analysis {
  const { began } = desired;
  if (began === undefined) return { decisions: [], later: 0 };
  const reading = { began, now };
  const decisions: Decision[] = [];
  for (const one of desired.all()) {
    if (desired.unsure(one.droplet)) continue;
    const { droplet } = one;
    const question = { desired: one, actual: actual.apps.get(droplet), changed: desired.changed(droplet), now };
    decisions.push(...analyzeApp(question, reading, times));
  }
  for (const app of actual.apps.values())
    if (!desired.get(app.droplet) && !desired.unsure(app.droplet)) decisions.push(...unknown(app, reading, times));
  const known = actual.apps.values().reduce((sum, app) => sum + app.instances.size, 0);
  return limited(decisions, desired, Math.max(times.stopFloor, Math.floor(known * times.stopShare)));
}

/** Missing first. An app that is being repaired loses nothing in the same round. */
function analyzeApp(question: Question, reading: { began: number; now: number }, times: Thresholds): Decision[] {
  const starts = missing(question, times);
  if (starts.length > 0) return starts;
  return [...extra(question, reading, times), ...copies(question, reading, times)];
}

// A wrong idea of what is desired must not empty a cluster in one stroke.
function limited(decisions: readonly Decision[], desired: Wanted, room: number): Analysis {
  const all = ordered(decisions, (droplet) => desired.get(droplet)?.updatedAt ?? 0);
  const stops = capped(
    all.filter((one): one is Stop => one.op === "STOP"),
    room,
  );
  return { decisions: [...all.filter((one) => one.op === "START"), ...stops.now], later: stops.later };
}
