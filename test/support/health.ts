import type { HmRequest } from "../../agent/bus/messages/health.ts";
import type { DeaHeartbeat, DropletExited, HeartbeatEntry } from "../../agent/bus/messages/instance.ts";
import type { InstanceState } from "../../agent/bus/messages/values.ts";
import { Mind, type Outcome } from "../../agent/health/mind.ts";
import { defaults, type Thresholds } from "../../agent/health/thresholds.ts";
import type { Desired } from "../../agent/health/wanted.ts";
import type { Notice } from "../../agent/health/words.ts";

/** A row of the desired state; what is absent is an app of one running instance. */
export function desired(more: Partial<Desired> = {}): Desired {
  const droplet = more.droplet ?? "app";
  const usual = { version: "v1", instances: 1, state: "STARTED", staged: true, updatedAt: 100, memory: 64 } as const;
  return { droplet, app: droplet, ...usual, ...more };
}

export function entry(more: Partial<HeartbeatEntry> = {}): HeartbeatEntry {
  const usual = {
    droplet: "app",
    version: "v1",
    index: 0,
    state: "RUNNING",
    state_timestamp: 1,
    cc_partition: "default",
  };
  return { instance: `i${more.index ?? 0}`, ...(usual as Omit<HeartbeatEntry, "instance">), ...more };
}

export const heartbeat = (droplets: HeartbeatEntry[], dea = "dea-a"): DeaHeartbeat => ({ dea, prod: false, droplets });

export function exit(more: Partial<DropletExited> = {}): DropletExited {
  const usual = { droplet: "app", version: "v1", index: 0, reason: "CRASHED", cc_partition: "default" } as const;
  const how = { exit_status: 1, exit_description: "", crash_timestamp: 7 };
  return { instance: `i${more.index ?? 0}`, ...usual, ...how, ...more };
}

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

interface Running {
  entry: HeartbeatEntry;
  age: number;
}

interface Dea {
  name: string;
  /** It works; when false its instances are gone. */
  up: boolean;
  /** It can be heard. */
  reachable: boolean;
  held: Map<string, Running>;
}

export interface Spoken {
  at: number;
  request: HmRequest;
}

export interface WorldOptions {
  deas?: number;
  minds?: number;
  seed?: number;
  thresholds?: Partial<Thresholds>;
}

const beat = 1000;

/**
 * A whole cluster on virtual time, in the manner of hm9000's mcat: DEAs that beat, a controller that starts what it
 * changes and checks every request again, and the real minds of health managers between them.
 */
export class World {
  now = 1_000_000;
  readonly apps = new Map<string, Desired>();
  readonly deas: Dea[] = [];
  readonly minds: Mind[] = [];
  readonly spoken: Spoken[] = [];
  readonly notices: Notice[] = [];
  /** Which mind leads; −1: none. */
  leader = 0;
  controllerUp = true;
  busUp = true;
  /** Apps that crash so many beats after their start. */
  readonly broken = new Map<string, number>();
  /** Told of each request before the controller acts on it. */
  onRequest: (request: HmRequest) => void = () => {};
  readonly #disturbed: number[] = [];
  /** Instances that ended with their DEA, and when: nobody can know it in the same beat. */
  readonly ghosts: { at: number; entry: HeartbeatEntry }[] = [];
  readonly random: () => number;
  readonly #thresholds: Thresholds;
  #ids = 0;
  #nextRead = 0;
  #queue: HmRequest[] = [];

  constructor({ deas = 3, minds = 1, seed = 1, thresholds = {} }: WorldOptions = {}) {
    this.random = seeded(seed);
    this.#thresholds = { ...defaults, ...thresholds };
    for (let i = 0; i < deas; i++) this.deas.push({ name: `dea-${i}`, up: true, reachable: true, held: new Map() });
    for (let i = 0; i < minds; i++) this.bootMind(i);
  }

  /** A health manager starts with an empty head. */
  bootMind(i = 0): void {
    const mind = { thresholds: this.#thresholds, beat, random: this.random, now: this.now, connected: this.busUp };
    this.minds[i] = new Mind(mind);
    this.#disturbed[i] = this.now;
    this.#nextRead = 0;
  }

  /** When the picture of the mind that leads was last disturbed: nothing may be said for three beats after it. */
  get disturbed(): number {
    return this.#disturbed[this.leader] ?? this.now;
  }

  #disturb(): void {
    this.#disturbed.fill(this.now);
  }

  get #unix(): number {
    return this.now / 1000;
  }

  get starts(): Spoken[] {
    return this.spoken.filter(({ request }) => request.op === "START");
  }

  get stops(): Spoken[] {
    return this.spoken.filter(({ request }) => request.op === "STOP");
  }

  /** Forgets what was said so far. */
  quiet(): void {
    this.spoken.length = 0;
    this.notices.length = 0;
  }

  /** A person changes an app. A controller that is `careful` starts and stops instances itself, as it should. */
  change(droplet: string, more: Partial<Desired>, careful = true): void {
    const next = { ...desired({ droplet }), ...this.apps.get(droplet), ...more, updatedAt: this.#unix };
    this.apps.set(droplet, next);
    this.#updated(droplet);
    if (careful) this.#converge(next);
  }

  remove(droplet: string, careful = true): void {
    const old = this.apps.get(droplet);
    this.apps.delete(droplet);
    if (careful && old) this.#converge({ ...old, instances: 0 });
  }

  #updated(droplet: string): void {
    if (!this.busUp) return;
    for (const mind of this.minds) mind.updated(droplet, this.now);
    this.#nextRead = Math.min(this.#nextRead, this.now);
  }

  #converge({ droplet, version, instances, state, staged }: Desired): void {
    const all = this.running(droplet);
    const wanted = state === "STARTED" && staged ? instances : 0;
    for (let index = 0; index < wanted; index++)
      if (!all.some((one) => one.index === index && one.version === version)) this.place(droplet, version, index);
    for (const one of all) if (one.version !== version || one.index >= wanted) this.stopInstance(one.instance);
  }

  place(droplet: string, version: string, index: number): void {
    const able = this.deas.filter((dea) => dea.up && dea.reachable && this.busUp);
    const dea = able[Math.floor(this.random() * able.length)];
    if (!dea) return;
    const instance = `i${++this.#ids}`;
    dea.held.set(instance, { entry: entry({ droplet, version, index, instance, state: "STARTING" }), age: 0 });
    this.#beatOf(dea);
  }

  stopInstance(instance: string): void {
    for (const dea of this.deas) if (dea.reachable && this.busUp) this.#end(dea, instance, "STOPPED");
  }

  crash(instance: string): void {
    for (const dea of this.deas) this.#end(dea, instance, "CRASHED");
  }

  #end(dea: Dea, instance: string, reason: DropletExited["reason"]): void {
    const held = dea.held.get(instance);
    if (!held || held.entry.state === "CRASHED") return;
    dea.held.delete(instance);
    if (reason === "CRASHED") dea.held.set(instance, { entry: { ...held.entry, state: "CRASHED" }, age: 0 });
    if (!dea.reachable || !this.busUp) return;
    const { droplet, version, index } = held.entry;
    const message = exit({ droplet, version, index, instance, reason });
    for (const [i, mind] of this.minds.entries()) this.#hear(mind.exited(message, this.now, i === this.leader));
    this.#obey();
  }

  /** A DEA is told to leave: it reports all its instances and goes. */
  shutdown(i: number): void {
    const dea = this.dea(i);
    for (const id of [...dea.held.keys()]) this.#end(dea, id, "DEA_SHUTDOWN");
    this.killDea(i);
  }

  /** The machine of a DEA is gone with everything on it. */
  killDea(i: number): void {
    const dea = this.dea(i);
    dea.up = false;
    for (const { entry } of dea.held.values()) this.ghosts.push({ at: this.now, entry });
    dea.held.clear();
  }

  /** A DEA cannot be heard for a while; its instances go on. */
  cut(i: number, reachable = false): void {
    this.dea(i).reachable = reachable;
  }

  bus(up: boolean): void {
    if (up === this.busUp) return;
    this.busUp = up;
    this.#disturb();
    for (const mind of this.minds) mind.connection(up, this.now);
    if (up) this.#nextRead = 0;
  }

  dea(i: number): Dea {
    const dea = this.deas[i];
    if (!dea) throw new Error(`there is no DEA ${i}`);
    return dea;
  }

  /** The process of the health managers stands still while the world goes on. */
  sleepMinds(beats: number): void {
    const asleep = this.minds.splice(0);
    this.tick(beats);
    this.minds.push(...asleep);
    if (beats > 2) this.#disturb();
  }

  /** Lets so many beats go by. */
  tick(beats = 1): void {
    for (let i = 0; i < beats; i++) {
      this.now += beat;
      for (const [dea, id] of this.deas.flatMap((one) => [...one.held.keys()].map((id) => [one, id] as const)))
        this.#live(dea, id);
      for (const dea of this.deas) this.#beatOf(dea);
      this.#read();
      for (const [i, mind] of this.minds.entries()) this.#hear(mind.turn(this.now, i === this.leader));
      this.#obey();
    }
  }

  #live(dea: Dea, id: string): void {
    const held = dea.held.get(id);
    if (!held) return;
    held.age++;
    if (held.entry.state === "STARTING" && held.age >= 2) held.entry = { ...held.entry, state: "RUNNING" };
    if (held.entry.state === "CRASHED" && held.age > 60) dea.held.delete(id);
    const life = this.broken.get(held.entry.droplet);
    if (life !== undefined && held.age >= life) this.#end(dea, id, "CRASHED");
  }

  #beatOf(dea: Dea): void {
    if (!dea.up || !dea.reachable || !this.busUp) return;
    const message = heartbeat(
      [...dea.held.values()].map((held) => held.entry),
      dea.name,
    );
    for (const mind of this.minds) mind.heartbeat(message, this.now);
  }

  #read(): void {
    if (!this.controllerUp || !this.busUp || this.now < this.#nextRead) return;
    const began = { now: this.now, unix: this.#unix };
    for (const mind of this.minds) mind.read({ apps: [...this.apps.values()], unreadable: [] }, began);
    this.#nextRead = this.now + 6 * beat;
  }

  #hear({ requests, notices }: Outcome): void {
    this.notices.push(...notices);
    for (const request of requests) {
      this.spoken.push({ at: this.now, request });
      this.onRequest(request);
      if (this.controllerUp) this.#queue.push(request);
    }
  }

  /** The controller checks again what it is asked for. */
  #obey(): void {
    for (const request of this.#queue.splice(0)) {
      const app = this.apps.get(request.droplet);
      if (request.op === "START") {
        if (app?.state !== "STARTED" || app.version !== request.version) continue;
        for (const index of request.indices ?? [])
          if (index < app.instances) this.place(app.droplet, app.version, index);
      } else if (!app || app.updatedAt === request.last_updated)
        for (const one of request.instances ?? []) this.stopInstance(one);
    }
  }

  /** Instances that really are there, whoever can hear them. */
  running(droplet?: string, states: InstanceState[] = ["STARTING", "RUNNING"]): HeartbeatEntry[] {
    const all = this.deas.flatMap((dea) => [...dea.held.values()].map((held) => held.entry));
    return all.filter((one) => (droplet === undefined || one.droplet === droplet) && states.includes(one.state));
  }

  /** What is not as it should be, in words; empty when everything is. */
  wrong(): string[] {
    const faults: string[] = [];
    for (const { droplet, version, instances, state } of this.apps.values()) {
      const here = this.running(droplet).map((one) => `${one.version}/${one.index}`);
      const should = Array.from({ length: state === "STARTED" ? instances : 0 }, (_, index) => `${version}/${index}`);
      if (here.sort().join() !== should.sort().join()) faults.push(`${droplet}: [${here}] instead of [${should}]`);
    }
    for (const one of this.running()) if (!this.apps.has(one.droplet)) faults.push(`${one.droplet}: nobody knows it`);
    return faults;
  }
}
