import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../agent/run/fault.ts";
import type { Log } from "../../agent/run/log.ts";
import type { Runner } from "../../agent/run/runner.ts";
import { sleep } from "../../agent/run/sleep.ts";
import type { Booted, GroundOptions } from "../ground.ts";
import type { Machine, MachinePlan } from "../machines/machine.ts";
import { netnsPath } from "../vpc/layout.ts";
import type { Picture } from "../vpc/picture.ts";
import type { Vpc } from "../vpc/vpc.ts";
import type { GroundEvent, Happening } from "./event.ts";
import { type Eyes, eyes } from "./eyes.ts";
import { pictureOf } from "./hosts.ts";
import { Life } from "./life.ts";
import { pause } from "./pause.ts";
import type { Birth, Seen, SeenInstance } from "./seen.ts";
import { rebootOf, wantedOf } from "./step.ts";

export interface CloudOptions extends Pick<GroundOptions, "url" | "folder" | "image" | "region" | "beat" | "log"> {
  readonly files: Readonly<Record<string, string>>;
  readonly machine: (plan: MachinePlan, log: Log) => Machine;
  readonly network: Pick<Vpc, "apply" | "plug" | "unplug">;
}

/** Looks at the API again and again, and keeps a life for each instance. */
export interface Cloud {
  readonly runner: Runner;
  onEvent(listener: (event: GroundEvent) => void): () => void;
  machines(): readonly Booted[];
  look(): void;
  readonly calls: number;
}

export function cloud(options: CloudOptions): Cloud {
  const state = new CloudState(options);
  return {
    runner: { name: "reconciler", run: (stop, ready) => state.run(stop, ready) },
    onEvent: (listener) => state.onEvent(listener),
    machines: () => state.machines(),
    look: () => state.look(),
    get calls() {
      return state.calls;
    },
  };
}

/** Milliseconds between two looks at an API that tells of no change. */
const longest = 5000;

class CloudState {
  calls = 0;
  readonly #options: CloudOptions;
  readonly #region: string;
  readonly #lives = new Map<string, Life>();
  readonly #births = new Map<string, Birth>();
  readonly #listeners = new Set<(event: GroundEvent) => void>();
  #seen: Seen = { instances: [], groups: [], networks: [] };
  #picture: Picture = { networks: [], groups: [], hosts: [] };
  #applied = "";
  readonly #wrongs = new Map<string, string>();
  #wake = new AbortController();
  /** What the API told of its changes before the last look; undefined after a look that did not go well. */
  #known: string | undefined;
  #lookedAt = 0;

  constructor(options: CloudOptions) {
    this.#options = options;
    this.#region = options.region ?? "eu-central-1";
  }

  async run(stop: AbortSignal, ready: () => void): Promise<void> {
    const { url, folder, beat = 100 } = this.#options;
    sweep(folder);
    const api = eyes(url, this.#region);
    let quiet = 0;
    try {
      while (!stop.aborted) {
        // Read before the look, so that what changes meanwhile is seen by the next one.
        const told = await api.changes();
        const changed = this.#isNews(told) ? await this.#look(api, told) : false;
        ready();
        for (const life of this.#lives.values()) life.watch();
        quiet = changed || this.#busy() ? 0 : quiet + 1;
        await sleep(told === undefined ? pause(quiet, beat) : beat, AbortSignal.any([stop, this.#wake.signal]));
      }
    } finally {
      await Promise.all([...this.#lives.values()].map((life) => life.end()));
      this.#lives.clear();
      api.close();
    }
  }

  onEvent(listener: (event: GroundEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  look(): void {
    this.#wake.abort();
  }

  machines(): Booted[] {
    const hosts = new Map(this.#picture.hosts.map((host) => [host.id, host]));
    return this.#seen.instances.flatMap(({ InstanceId: id, Tags = [] }) => {
      const { machine, finished = false } = this.#lives.get(id) ?? {};
      const host = hosts.get(id);
      if (!machine || !host) return [];
      const tags = Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [Key, Value]));
      const { privateAddress, publicAddress } = host;
      const addresses = { privateAddress, publicAddress, netns: netnsPath(id) };
      return [{ id, state: machine.state, finished, tags, ...addresses, machine }];
    });
  }

  /** An API that tells of changes is looked at when there are some, and now and then, as nobody is without fault. */
  #isNews(told: string | undefined): boolean {
    const asked = this.#wake.signal.aborted;
    if (asked) this.#wake = new AbortController();
    return asked || told === undefined || told !== this.#known || performance.now() - this.#lookedAt > longest;
  }

  /** True when something has changed. */
  async #look(api: Eyes, told: string | undefined): Promise<boolean> {
    const began = performance.now();
    const seen = await this.#tried("looking at the API of EC2", () => api.look());
    this.calls = api.calls;
    this.#known = seen && told;
    this.#lookedAt = began;
    if (!seen) return false;
    this.#seen = seen;
    await this.#tried("asking for the rights of machines", () => this.#learnProfiles(api));
    // A rule that can't be enforced must not keep the other machines from what they should be.
    const changed = await this.#tried("making the network", () => this.#enforce());
    if (changed === undefined) this.#known = undefined;
    for (const one of seen.instances) this.#lifeOf(one, api);
    this.#want(began);
    return changed === true;
  }

  /** An instance may be seen before it has its profile: a machine that has begun to boot gets its rights all the same. */
  async #learnProfiles(api: Eyes): Promise<void> {
    for (const one of this.#seen.instances) {
      const known = this.#births.get(one.InstanceId);
      if (!known || known.profile?.arn === one.IamInstanceProfile?.Arn) continue;
      this.#births.set(one.InstanceId, { ...known, profile: (await api.birth(one)).profile });
    }
  }

  #want(began: number): void {
    const here = new Map(this.#seen.instances.map((one) => [one.InstanceId, one]));
    for (const [id, life] of this.#lives) {
      const instance = here.get(id);
      life.want({ wanted: wantedOf(instance), reboot: instance ? rebootOf(instance) : "", began });
      if (!life.over) continue;
      this.#lives.delete(id);
      this.#births.delete(id);
    }
  }

  #busy(): boolean {
    return [...this.#lives.values()].some(({ busy }) => busy);
  }

  /** The network as it was seen last. */
  async #enforce(): Promise<boolean> {
    this.#picture = pictureOf(this.#seen, this.#births, this.#region);
    const text = JSON.stringify(this.#picture);
    if (text === this.#applied) return false;
    await this.#options.network.apply(this.#picture);
    this.#applied = text;
    return true;
  }

  async #tried<T>(what: string, act: () => Promise<T>): Promise<T | undefined> {
    try {
      const result = await act();
      this.#complain(what, undefined);
      return result;
    } catch (error) {
      this.#complain(what, error instanceof Error ? error : new Error(String(error)));
      return undefined;
    }
  }

  /** Says what is wrong when it begins, and when it ends: it would be said at each look else. */
  #complain(about: string, error: Error | undefined): void {
    const known = this.#wrongs.get(about);
    const { log } = this.#options;
    if (error && error.message !== known) log.warn({ err: error }, `${about} failed, and is tried again`);
    if (!error && known !== undefined) log.info({}, `${about} goes well again`);
    if (error) this.#wrongs.set(about, error.message);
    else this.#wrongs.delete(about);
  }

  #lifeOf({ InstanceId: id }: SeenInstance, api: Eyes): void {
    if (this.#lives.has(id)) return;
    const tell = (kind: Happening, detail?: string) => this.#tell({ at: Date.now(), id, kind, detail });
    tell("seen");
    const life = new Life({
      tell,
      prepare: () => this.#prepare(id, api),
      unplug: () => this.#options.network.unplug(id),
      switchedOff: () => api.switchedOff(id, this.#births.get(id)?.atShutdown ?? "stop"),
    });
    this.#lives.set(id, life);
  }

  #tell(event: GroundEvent): void {
    this.#options.log.info(event, "a machine of the rehearsal");
    for (const listener of this.#listeners) listener(event);
  }

  /** What the instance has at this start of it: user data may have been changed while it was off. */
  async #prepare(id: string, api: Eyes): Promise<Machine> {
    const { network, machine, image, files, folder, log } = this.#options;
    const instance = this.#seen.instances.find(({ InstanceId }) => InstanceId === id);
    const birth = instance && (await api.birth(instance));
    if (birth) this.#births.set(id, birth);
    await this.#enforce();
    const host = this.#picture.hosts.find((each) => each.id === id);
    if (!birth || !host) throw noNetwork(id);
    const netns = await network.plug(host);
    const { memory, disk } = birth;
    return machine({ id, mac: host.mac, memory, disk, netns, folder: join(folder, id), image, files }, log);
  }
}

/** Machines of an API that is gone are nobody's. */
function sweep(folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (const name of readdirSync(folder))
    if (/^i-[0-9a-f]{8,17}$/.test(name)) rmSync(join(folder, name), { recursive: true, force: true });
}

function noNetwork(id: string): Fault {
  const hint = "give it a subnet, whose network has no address in common with the other networks";
  return new Fault(`${id} has no place in the rehearsal's network`, { code: "no_network", hint });
}
