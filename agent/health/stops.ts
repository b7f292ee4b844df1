import { type App, fills, type Instance, serves } from "./actual.ts";
import type { Stop } from "./decisions.ts";
import type { Question } from "./starts.ts";
import type { Thresholds } from "./thresholds.ts";

/** What is known of the desired state as a whole. */
export interface Reading {
  /** When the last complete run began (ms). */
  readonly began: number;
  readonly now: number;
}

/** Instances nobody wants: the app is stopped, the index too high, the version old. */
export function extra({ desired, actual, changed }: Question, reading: Reading, times: Thresholds): Stop[] {
  if (!actual || reading.now - changed < times.stable) return [];
  if (desired.state === "STARTED" && !desired.staged) return [];
  const reason = (one: Instance): string | undefined => {
    if (desired.state === "STOPPED") return "the app is stopped";
    if (one.index >= desired.instances) return `only ${desired.instances} instances are wanted`;
    if (one.version !== desired.version) return "it runs an old version";
    return undefined;
  };
  const old = [...actual.instances.values()].filter((one) => serves(one) && settled(one, reading, times));
  const groups = Map.groupBy(old, reason);
  groups.delete(undefined);
  const { droplet, version } = desired;
  return [...groups].map(([why, all]) => ({ op: "STOP", droplet, version, instances: ids(all), reason: why ?? "" }));
}

/** Copies: slots with more than one instance. The one that runs longest stays; one copy goes at a time. */
export function copies({ desired, actual }: Question, reading: Reading, times: Thresholds): Stop[] {
  const { droplet, version } = desired;
  const all = [...(actual?.instances.values() ?? [])].filter((one) => fills(one) && one.version === version);
  const stops: Stop[] = [];
  for (const [index, same] of Map.groupBy(all, (one) => one.index)) {
    const newest = same.every((one) => stands(one, reading, times)) ? tooMany(same) : undefined;
    if (!newest || !settled(newest, reading, times)) continue;
    stops.push({ op: "STOP", droplet, version, instances: [newest.id], reason: `index ${index} runs twice` });
  }
  return stops;
}

/**
 * A replacement in flight looks like a copy for a moment, and so does the replacement of an instance that has just
 * died with its DEA: all must have stood for a while, and all must be heard now.
 */
function stands(one: Instance, { now }: Reading, times: Thresholds): boolean {
  return one.beats >= times.duplicateBeats && now - one.firstSeen >= times.lost && now - one.seen <= times.lost / 2;
}

/** The one that may go. None, when nothing would be left that is known to work. */
function tooMany(same: readonly Instance[]): Instance | undefined {
  const [best, ...others] = [...same].sort(byAge);
  return best?.state === "RUNNING" ? others.at(-1) : undefined;
}

/** Everything of an app that has been absent from the desired state for long, and in more than one complete run. */
export function unknown(app: App, reading: Reading, times: Thresholds): Stop[] {
  const { now } = reading;
  if (app.unknownSince === undefined || app.unknownRuns < 2 || now - app.unknownSince < times.unknownApp) return [];
  const strangers = [...app.instances.values()].filter(
    (one) => serves(one) && now - one.firstSeen >= times.unknownApp && settled(one, reading, times),
  );
  if (strangers.length === 0) return [];
  const reason = "no controller knows the app";
  return [{ op: "STOP", droplet: app.droplet, version: undefined, instances: ids(strangers), reason }];
}

/** The first stops of a round, in their order, up to so many instances. */
export function capped(stops: readonly Stop[], room: number): { now: Stop[]; later: number } {
  const now: Stop[] = [];
  let left = room;
  let later = 0;
  for (const stop of stops) {
    const instances = stop.instances.slice(0, Math.max(0, left));
    left -= instances.length;
    later += stop.instances.length - instances.length;
    if (instances.length > 0) now.push({ ...stop, instances });
  }
  return { now, later };
}

/** What we know of the desired state must be younger than the instance, and an instance just told to stop is left alone. */
function settled(one: Instance, { began, now }: Reading, times: Thresholds): boolean {
  return one.firstSeen < began && now - one.stopAsked >= times.stopSpacing;
}

function byAge(a: Instance, b: Instance): number {
  const running = (one: Instance) => (one.state === "RUNNING" ? 0 : 1);
  return running(a) - running(b) || a.firstSeen - b.firstSeen || (a.id < b.id ? -1 : 1);
}

const ids = (instances: readonly Instance[]): string[] => instances.map((one) => one.id);
