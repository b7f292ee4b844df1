import type { HmRequest } from "../bus/messages/health.ts";
import type { DeaHeartbeat, DropletExited } from "../bus/messages/instance.ts";
import { analyze } from "./analyze.ts";
import type { Start, Stop } from "./decisions.ts";
import { Gate } from "./gate.ts";
import { Picture } from "./picture.ts";
import { StartQueue } from "./queue.ts";
import { startRequests, stopRequest } from "./requests.ts";
import { type Question, startOf } from "./starts.ts";
import { inMilliseconds, type Thresholds } from "./thresholds.ts";
import { type DesiredRun, type Moment, Wanted } from "./wanted.ts";
import { crashed, lost, type Notice, stopping } from "./words.ts";

export interface MindOptions {
  thresholds: Thresholds;
  /** Milliseconds. */
  beat: number;
  /** In [0, 1). */
  random: () => number;
  now: number;
  connected: boolean;
}

/** What is to be said after something happened: requests to the controllers and lines for people. */
export interface Outcome {
  readonly requests: readonly HmRequest[];
  readonly notices: readonly Notice[];
}

export interface Turn extends Outcome {
  /** Why nothing was decided; undefined when everything is fresh. */
  readonly closed: string | undefined;
  /** Instances that are to be stopped in later rounds. */
  readonly later: number;
}

const nothing: Outcome = { requests: [], notices: [] };

/**
 * The health manager without its bus: it is told what happened and when (ms of a clock that never jumps), and answers
 * what is to be said. Every copy of a health manager keeps one warm; the one that `leads` also speaks.
 */
export class Mind {
  readonly wanted = new Wanted();
  readonly picture: Picture;
  readonly gate: Gate;
  readonly queue: StartQueue;
  readonly times: Thresholds;
  /** How often the whole has been compared. */
  analyses = 0;

  constructor({ thresholds, beat, random, ...start }: MindOptions) {
    this.times = inMilliseconds(thresholds, beat);
    this.picture = new Picture(this.times, random);
    this.gate = new Gate(this.times, beat, start);
    this.queue = new StartQueue(thresholds.startRate);
  }

  heartbeat(message: DeaHeartbeat, now: number): void {
    this.#shift(this.gate.pulse(now), now);
    this.#shift(this.gate.heard(now), now);
    this.picture.heartbeat(message, now);
  }

  /** An instance has ended. What it leaves empty is filled in this very moment, when everything is fresh. */
  exited(message: DropletExited, now: number, leads: boolean): Outcome {
    this.#shift(this.gate.pulse(now), now);
    const slot = this.picture.exited(message, now);
    const desired = this.wanted.get(message.droplet);
    if (!slot || !desired || desired.version !== slot.version || !leads) return nothing;
    const notices = message.reason === "CRASHED" ? crashed(desired, slot, { message, now }) : [];
    const start = startOf(this.#question(message.droplet, now), slot.index, this.times);
    if (!start || this.closed(now) || this.wanted.unsure(message.droplet)) return { requests: [], notices };
    this.queue.offer(start);
    return { requests: this.#flush(now), notices };
  }

  /** What is desired of the app has changed. */
  updated(droplet: string, now: number): void {
    this.#shift(this.gate.pulse(now), now);
    this.wanted.touched(droplet, now);
  }

  /** The desired state was read completely in a run that began at `began`. */
  read(run: DesiredRun, began: Moment): void {
    this.wanted.accept(run, began, this.times.stable);
    const unreadable = new Set(run.unreadable);
    const version = (droplet: string) =>
      this.wanted.get(droplet)?.version ?? (unreadable.has(droplet) ? "unreadable" : undefined);
    this.picture.compare(version, began.now);
  }

  connection(connected: boolean, now: number): void {
    this.#shift(this.gate.pulse(now), now);
    if (connected) this.#shift(this.gate.back(now), now);
    else this.gate.lost(now);
  }

  /** Why nothing may be decided now. */
  closed(now: number): string | undefined {
    return this.gate.closed(now, { hearing: this.picture, desired: this.wanted.began });
  }

  /** Why nothing can be said about what runs. */
  deaf(now: number): string | undefined {
    return this.gate.deaf(now, this.picture);
  }

  /** Once a beat. */
  turn(now: number, leads: boolean): Turn {
    this.#shift(this.gate.pulse(now), now);
    this.queue.refill();
    if (!this.gate.silent(now)) this.picture.forgetDeas(now);
    const gone = this.deaf(now) ? [] : this.picture.sweep(now);
    const closed = this.closed(now);
    if (closed || !leads) this.queue.clear();
    if (closed) return { ...nothing, closed, later: 0 };
    const { decisions, later } = analyze(this.wanted, this.picture, { now, times: this.times });
    this.analyses++;
    if (!leads) return { ...nothing, closed, later: 0 };
    for (const one of decisions) if (one.op === "START") this.queue.offer(one);
    const stops = decisions.filter((one): one is Stop => one.op === "STOP");
    const requests = [...this.#flush(now), ...stops.map((stop) => this.#stop(stop, now))];
    const notices = [...lost(gone, this.wanted), ...stops.flatMap((stop) => stopping(stop, this.wanted))];
    return { requests, notices, closed, later };
  }

  #shift(gap: number, now: number): void {
    if (gap > 0) this.picture.shift(gap, now);
  }

  #question(droplet: string, now: number): Question {
    const desired = this.wanted.get(droplet);
    if (!desired) throw new Error(`${droplet} is not desired`);
    return { desired, actual: this.picture.apps.get(droplet), changed: this.wanted.changed(droplet), now };
  }

  /** Checked again when its turn has come: what was missing a moment ago may be there now. */
  #flush(now: number): HmRequest[] {
    const right = ({ droplet, index, version }: Start) =>
      this.wanted.get(droplet)?.version === version &&
      !this.wanted.unsure(droplet) &&
      startOf(this.#question(droplet, now), index, this.times) !== undefined;
    const starts = this.queue.take(right);
    for (const { droplet, version, index } of starts) {
      const slot = this.picture.slot(droplet, version, index);
      slot.asked = now;
      slot.told = false;
    }
    return startRequests(starts, this.wanted);
  }

  #stop(stop: Stop, now: number): HmRequest {
    const { instances } = this.picture.app(stop.droplet);
    for (const id of stop.instances) {
      const instance = instances.get(id);
      if (instance) instance.stopAsked = now;
    }
    return stopRequest(stop, this.wanted);
  }
}
