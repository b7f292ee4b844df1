import { type App, fills, type Slot } from "./actual.ts";
import { priorities, type Start } from "./decisions.ts";
import type { Thresholds } from "./thresholds.ts";
import type { Desired } from "./wanted.ts";

export interface Question {
  readonly desired: Desired;
  /** What is known to run of it; undefined when nothing ever did. */
  readonly actual: App | undefined;
  /** When a change of what is desired was last seen (ms). */
  readonly changed: number;
  readonly now: number;
}

/** True when instances of it should run at all. */
export const startable = (desired: Desired): boolean => desired.state === "STARTED" && desired.staged;

/** Every slot that wants an instance, has none, and may be given one now. */
export function missing(question: Question, times: Thresholds): Start[] {
  if (!startable(question.desired)) return [];
  const starts: Start[] = [];
  for (let index = 0; index < question.desired.instances; index++) {
    const start = startOf(question, index, times);
    if (start) starts.push(start);
  }
  return starts;
}

/** The start of one slot, or undefined when it is filled, not wanted, or has to wait. */
export function startOf(question: Question, index: number, times: Thresholds): Start | undefined {
  const { desired, actual } = question;
  const { droplet, version } = desired;
  if (!startable(desired) || index >= desired.instances || filled(question, index)) return undefined;
  const slot = actual?.slots.get(`${index}/${version}`);
  if (slot ? waits(slot, question, times) : controllerIsAtIt(question, times)) return undefined;
  const flapping = (slot?.crashes ?? 0) > times.freeCrashes;
  return { op: "START", droplet, version, index, flapping, ...why(question, index, slot) };
}

function filled({ desired, actual }: Question, index: number): boolean {
  const all = actual?.instances.values() ?? [];
  return all.some((one) => one.index === index && one.version === desired.version && fills(one));
}

function waits(slot: Slot, question: Question, times: Thresholds): boolean {
  const { now } = question;
  if (slot.due > now) return true;
  if (brokenApp(slot, question)) return true;
  // Whoever was told of an end need not wait for a start that may be under way: it has ended.
  if (slot.told) return false;
  return now - slot.asked < times.restartSpacing || controllerIsAtIt(question, times);
}

/** The controller starts what it changes; a second voice would only make copies. */
const controllerIsAtIt = ({ now, changed }: Question, times: Thresholds): boolean => now - changed < times.stable;

/** A broken app costs one start and not one for each index: the others wait until one instance is seen to run. */
function brokenApp(slot: Slot, { desired, actual }: Question): boolean {
  if (slot.index === 0 || slot.crashes === 0) return false;
  const all = actual?.instances.values() ?? [];
  return !all.some((one) => one.version === desired.version && one.state === "RUNNING");
}

function why({ actual, desired }: Question, index: number, slot: Slot | undefined): Pick<Start, "reason" | "priority"> {
  const all = actual?.instances.values() ?? [];
  const leaving = all.some((one) => one.index === index && one.version === desired.version);
  if (leaving) return { reason: "its instance is being evacuated", priority: priorities.evacuation };
  if (slot?.told && slot.crashes > 0)
    return { reason: `it crashed (${slot.crashes} in a row)`, priority: priorities.exited };
  if (slot?.told) return { reason: "its DEA gave it up", priority: priorities.exited };
  return { reason: "no instance is heard of", priority: index === 0 ? priorities.first : priorities.other };
}
