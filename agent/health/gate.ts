import type { Thresholds } from "./thresholds.ts";

/** Who should be heard. */
export interface Hearing {
  /** When each known DEA was last heard (ms). */
  readonly deas: ReadonlyMap<string, number>;
  /** DEAs that hold instances, as far as we know. */
  holders(): ReadonlySet<string>;
}

/** What the gate is asked about, beside its own clocks. */
export interface Knowledge {
  hearing: Hearing;
  /** When the last complete reading of the desired state began (ms). */
  desired: number | undefined;
}

/**
 * Freshness: nothing is decided on stale knowledge. The gate knows since when we hear without a gap. A gap is a bus
 * that is away, heartbeats that stop altogether, or a pause of this very process. Each return answers how long the
 * gap was (ms), so that it can be taken out of the clocks of what was last heard before it.
 */
export class Gate {
  readonly #times: Thresholds;
  readonly #beat: number;
  #since: number;
  #away: number | undefined;
  #pulse: number;
  #heard: number | undefined;
  #gapEnded: number | undefined;

  constructor(times: Thresholds, beat: number, start: { now: number; connected: boolean }) {
    this.#times = times;
    this.#beat = beat;
    this.#since = start.now;
    this.#pulse = start.now;
    this.#away = start.connected ? undefined : start.now;
  }

  /** To be called at every event and each beat: a process that slept for more than two beats has missed messages. */
  pulse(now: number): number {
    const late = now - this.#pulse - this.#beat;
    this.#pulse = Math.max(now, this.#pulse);
    return late > 2 * this.#beat ? this.#again(now, late) : 0;
  }

  /** A heartbeat has arrived. All DEAs silent at once is our deafness, not their death. */
  heard(now: number): number {
    const silence = this.#heard === undefined ? Number.POSITIVE_INFINITY : now - this.#heard;
    const before = this.#heard;
    this.#heard = now;
    if (silence <= this.#times.lost) return 0;
    return this.#again(now, before === undefined ? 0 : silence);
  }

  lost(now: number): void {
    this.#away ??= now;
  }

  back(now: number): number {
    if (this.#away === undefined) return 0;
    const gap = now - this.#away;
    this.#away = undefined;
    return this.#again(now, gap);
  }

  #again(now: number, gap: number): number {
    this.#since = now;
    if (gap > 0) this.#gapEnded = now;
    // The gap is taken out of our own clock too, else the first heartbeat after it would be taken for a second gap.
    if (this.#heard !== undefined) this.#heard = Math.min(now, this.#heard + gap);
    return gap;
  }

  /** Why we cannot say what runs; undefined when we can. */
  deaf(now: number, hearing: Hearing): string | undefined {
    const { settle, lost, deaQuorum } = this.#times;
    const { deas } = hearing;
    if (this.#away !== undefined) return "the bus is away";
    if (this.silent(now)) return "no DEA sends heartbeats";
    if (now - this.#since < settle) return "the bus has been there for too short a time";
    const heard = [...deas.values()].filter((seen) => now - seen <= lost).length;
    if (heard < deas.size * deaQuorum) return `only ${heard} of ${deas.size} DEAs are heard`;
    const absent = this.#absent(now, hearing);
    return absent > 0 ? `${absent} of ${deas.size} DEAs have not been heard since the bus is back` : undefined;
  }

  /** A bus that comes back is not back for everybody at once: DEAs that held instances before are waited for. */
  #absent(now: number, { deas, holders }: Hearing): number {
    const ended = this.#gapEnded;
    if (ended === undefined || now - ended >= this.#times.doubt) return 0;
    return [...holders()].filter((dea) => (deas.get(dea) ?? ended) <= ended).length;
  }

  /** Why nothing may be decided; undefined when everything is fresh. */
  closed(now: number, { hearing, desired }: Knowledge): string | undefined {
    const deaf = this.deaf(now, hearing);
    if (deaf) return deaf;
    if (desired === undefined) return "the desired state has not been read yet";
    if (now - desired > this.#times.desiredLost) return "the desired state is too old";
    return undefined;
  }

  /** True while no DEA at all is heard. */
  silent(now: number): boolean {
    return this.#heard === undefined || now - this.#heard > this.#times.lost;
  }
}
