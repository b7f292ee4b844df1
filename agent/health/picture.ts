import type { DeaHeartbeat, DropletExited, HeartbeatEntry } from "../bus/messages/instance.ts";
import { type App, fills, type Instance, type Slot } from "./actual.ts";
import { crashDelay } from "./backoff.ts";
import type { Thresholds } from "./thresholds.ts";

const never = Number.NEGATIVE_INFINITY;

/** What runs, as far as we have heard. Pure but for itself: told of messages and of the time, it tells nobody. */
export class Picture {
  readonly apps = new Map<string, App>();
  readonly deas = new Map<string, number>();
  readonly #gone = new Map<string, number>();
  readonly #times: Thresholds;
  readonly #random: () => number;

  /** `times` in ms; `random` in [0, 1). */
  constructor(times: Thresholds, random: () => number) {
    this.#times = times;
    this.#random = random;
  }

  app(droplet: string): App {
    const old = this.apps.get(droplet);
    if (old) return old;
    const app = { droplet, instances: new Map(), slots: new Map(), crashes: new Map() };
    const made: App = { ...app, unknownSince: undefined, unknownRuns: 0 };
    this.apps.set(droplet, made);
    return made;
  }

  slot(droplet: string, version: string, index: number): Slot {
    const { slots } = this.app(droplet);
    const key = `${index}/${version}`;
    const old = slots.get(key);
    if (old) return old;
    const none = {
      crashes: 0,
      crashedAt: 0,
      due: never,
      asked: never,
      told: false,

      touched: never,
    };
    const made = { version, index, ...none };
    slots.set(key, made);
    return made;
  }

  /** Takes in a heartbeat. Entries that are absent are no news: old DEAs send partial lists. */
  heartbeat({ dea, droplets }: DeaHeartbeat, now: number): void {
    this.deas.set(dea, now);
    for (const entry of droplets) this.#entry(dea, entry, now);
  }

  #entry(dea: string, entry: HeartbeatEntry, now: number): void {
    const { droplet, version, index, instance: id, state } = entry;
    const app = this.app(droplet);
    const old = app.instances.get(id);
    if (state === "CRASHED") {
      // The report of its end was lost on the way: this is it.
      if (old) this.#crashed(old, entry.state_timestamp, now);
      app.crashes.set(id, { instance: id, since: app.crashes.get(id)?.since ?? entry.state_timestamp, seen: now });
      return;
    }
    // A list that was made before the end we were told of must not raise the dead.
    if (this.#gone.has(id)) return;
    const fresh = { id, droplet, version, index, dea, firstSeen: now, beats: 0, upSince: undefined, stopAsked: never };
    const instance: Instance = old ?? { ...fresh, state, since: entry.state_timestamp, seen: now };
    app.instances.set(id, instance);
    instance.dea = dea;
    instance.state = state;
    instance.since = entry.state_timestamp;
    instance.seen = now;
    instance.beats++;
    if (state === "RUNNING") instance.upSince ??= now;
    const slot = this.slot(droplet, version, index);
    slot.touched = now;
    if (fills(instance)) slot.told = false;
    if (instance.upSince !== undefined && now - instance.upSince >= this.#times.crashWindow) slot.crashes = 0;
  }

  /** Takes in the end of an instance. Answers its slot, or undefined when this is no news. */
  exited(message: DropletExited, now: number): Slot | undefined {
    const { droplet, version, index, instance: id, reason } = message;
    const app = this.app(droplet);
    const old = app.instances.get(id);
    if (this.#gone.has(id)) return undefined;
    if (reason === "CRASHED") {
      const since = message.crash_timestamp ?? 0;
      app.crashes.set(id, { instance: id, since, seen: now });
      return this.#crashed(old ?? { id, droplet, version, index }, since, now);
    }
    this.#end(droplet, id, now);
    if (reason === "STOPPED") return undefined;
    const slot = this.slot(droplet, version, index);
    slot.told = true;
    slot.touched = now;
    return slot;
  }

  #crashed(what: Pick<Instance, "id" | "droplet" | "version" | "index">, at: number, now: number): Slot {
    const slot = this.slot(what.droplet, what.version, what.index);
    slot.crashes++;
    slot.crashedAt = at;
    slot.due = now + crashDelay(slot.crashes, this.#times, this.#random());
    slot.told = true;
    slot.touched = now;
    this.#end(what.droplet, what.id, now);
    return slot;
  }

  #end(droplet: string, id: string, now: number): void {
    this.app(droplet).instances.delete(id);
    this.#gone.set(id, now);
  }

  /** Forgets what was not heard of for too long. Only to be called while we can hear. Answers the instances that are lost. */
  sweep(now: number): Instance[] {
    const { lost, crashForgotten, crashWindow, maxDelay } = this.#times;
    const old = Math.max(crashWindow, 2 * maxDelay);
    const missing: Instance[] = [];
    for (const app of this.apps.values()) {
      for (const one of app.instances.values()) if (now - one.seen > lost) missing.push(one);
      for (const [id, crash] of app.crashes) if (now - crash.seen > crashForgotten) app.crashes.delete(id);
      for (const [key, slot] of app.slots)
        if (now - Math.max(slot.touched, slot.asked) > old && slot.due <= now) app.slots.delete(key);
    }
    for (const { droplet, id } of missing) this.apps.get(droplet)?.instances.delete(id);
    for (const [id, at] of this.#gone) if (now - at > 2 * lost) this.#gone.delete(id);
    for (const { droplet, instances, slots, crashes } of this.apps.values())
      if (instances.size + slots.size + crashes.size === 0) this.apps.delete(droplet);
    return missing;
  }

  /** DEAs that hold instances, as far as we know. */
  readonly holders = (): ReadonlySet<string> => {
    const all = this.apps.values().flatMap(({ instances }) => instances.values().map(({ dea }) => dea));
    return new Set(all);
  };

  /** Forgets DEAs that have been silent for long: they count no more among those that should be heard. */
  forgetDeas(now: number): void {
    for (const [dea, seen] of this.deas) if (now - seen > this.#times.doubt) this.deas.delete(dea);
  }

  /** Takes a time in which we could not hear out of all clocks: a silence of ours is nobody's death. */
  shift(by: number, now: number): void {
    // Gaps can lie over each other; nothing was heard in the future.
    const later = (seen: number) => Math.min(now, seen + by);
    for (const app of this.apps.values()) {
      for (const one of app.instances.values()) one.seen = later(one.seen);
      for (const crash of app.crashes.values()) crash.seen = later(crash.seen);
    }
    for (const [dea, seen] of this.deas) this.deas.set(dea, later(seen));
  }

  /** Compares with a complete run: notes which apps it did not know, and forgets the slots of versions that are gone. */
  compare(version: (droplet: string) => string | undefined, began: number): void {
    for (const app of this.apps.values()) {
      const wanted = version(app.droplet);
      const unknown = wanted === undefined;
      app.unknownSince = unknown ? (app.unknownSince ?? began) : undefined;
      app.unknownRuns = unknown ? app.unknownRuns + 1 : 0;
      for (const [key, slot] of app.slots)
        if (slot.version !== wanted && began - slot.touched > this.#times.lost) app.slots.delete(key);
    }
  }
}
