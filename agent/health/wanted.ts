/** What is desired of one process. `updatedAt` in Unix seconds: it goes back to the controller as a fence. */
export interface Desired {
  readonly droplet: string;
  readonly version: string;
  readonly instances: number;
  readonly state: "STARTED" | "STOPPED";
  readonly staged: boolean;
  readonly updatedAt: number;
  /** MiB. */
  readonly memory: number;
  /** The app whose log tells of it; of an app's first process the same as `droplet`. */
  readonly app: string;
}

/** A complete run over the bulk interface. `unreadable` are rows that are there and make no sense. */
export interface DesiredRun {
  readonly apps: readonly Desired[];
  readonly unreadable: readonly string[];
}

interface Known {
  desired: Desired;
  /** When (ms, our clock) a change of it was first seen. */
  changed: number;
}

/** When a run over the bulk interface began, in ms of our clock and in Unix seconds. */
export interface Moment {
  now: number;
  unix: number;
}

/** The desired state as of the last complete run. Times are milliseconds of our own clock. */
export class Wanted {
  #apps = new Map<string, Known>();
  #unreadable = new Set<string>();
  #dirty = new Map<string, number>();
  /** When the last complete run began; undefined before the first. */
  began: number | undefined;

  /** Takes in a complete run. `stable` (ms) bounds how long an app of the very first run may count as just changed. */
  accept(run: DesiredRun, began: Moment, stable: number): void {
    const first = this.began === undefined;
    const apps = new Map<string, Known>();
    for (const desired of run.apps) {
      const old = this.#apps.get(desired.droplet);
      // Clocks of machines differ: the age of a row is a hint that can cost `stable`, never more.
      const age = Math.max(0, began.unix - desired.updatedAt) * 1000;
      const changed = first ? (age < stable ? began.now - age : Number.NEGATIVE_INFINITY) : began.now;
      apps.set(desired.droplet, { desired, changed: old && same(old.desired, desired) ? old.changed : changed });
    }
    this.#apps = apps;
    this.#unreadable = new Set(run.unreadable);
    for (const [droplet, since] of this.#dirty) if (since <= began.now) this.#dirty.delete(droplet);
    this.began = began.now;
  }

  /** The controller said that this app has changed: what we know of it is old until a run that began after now. */
  touched(droplet: string, now: number): void {
    this.#dirty.set(droplet, now);
  }

  get(droplet: string): Desired | undefined {
    return this.#apps.get(droplet)?.desired;
  }

  /** When a change of the app was last seen (ms). */
  changed(droplet: string): number {
    return this.#apps.get(droplet)?.changed ?? Number.NEGATIVE_INFINITY;
  }

  /** True when nothing may be decided about the app: its row is unreadable, or older than a change we heard of. */
  unsure(droplet: string): boolean {
    return this.#dirty.has(droplet) || this.#unreadable.has(droplet);
  }

  all(): Desired[] {
    return [...this.#apps.values()].map((known) => known.desired);
  }
}

function same(a: Desired, b: Desired): boolean {
  return a.version === b.version && a.instances === b.instances && a.state === b.state && a.staged === b.staged;
}
