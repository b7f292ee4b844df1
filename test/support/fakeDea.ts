import { randomBytes } from "node:crypto";
import type { MemoryNet } from "../../agent/bus/memory.ts";
import type { DeaStart, DropletExited, InstanceFilter } from "../../agent/bus/messages/instance.ts";
import type { InstanceState } from "../../agent/bus/messages/values.ts";
import { at } from "../../agent/bus/subject.ts";
import { subjects } from "../../agent/bus/subjects.ts";

export interface FakeDeaOptions {
  id: string;
  beat: number;
  /** MiB. */
  memory: number;
  disk: number;
  zone: string;
  /** Whether it answers starts that are requests. */
  ack: boolean;
  /** Whether instances become RUNNING by themselves. */
  ready: boolean | (() => boolean);
  /** What it says to a start instead of taking it: a reason, silence, or it takes it and the answer is lost. */
  onStart: (start: DeaStart) => "take" | "silent" | "lose answer" | { reason: string };
  /** Milliseconds that a stopped instance keeps its room. */
  stopping: number;
  /** Answers discovery with its name only, as DEAs of 2012 did. */
  terse: boolean;
}

export interface FakeInstance {
  id: string;
  droplet: string;
  version: string;
  index: number;
  state: InstanceState;
  /** Unix seconds. */
  since: number;
  start: DeaStart;
  exit?: { status: number; description: string };
}

/** A DEA that holds instances in a list and follows the protocol over the bus; nothing runs. */
export interface FakeDea {
  readonly id: string;
  readonly held: FakeInstance[];
  readonly starts: DeaStart[];
  readonly stops: InstanceFilter[];
  readonly updates: { droplet: string; uris: string[]; version?: string }[];
  /** Questions to find instances. */
  readonly finds: InstanceFilter[];
  living(droplet: string): FakeInstance[];
  run(instance: FakeInstance): void;
  crash(instance: FakeInstance, exit?: { status: number; description: string }): void;
  /** Puts an instance there that nobody asked for. */
  plant(start: Pick<DeaStart, "droplet" | "version" | "index">, state?: InstanceState): FakeInstance;
  advertise(): void;
  /** Gone without a word. */
  leave(): void;
}

const alive = new Set<InstanceState>(["STARTING", "RUNNING"]);
const seconds = () => Math.floor(Date.now() / 1000);

export function fakeDea(
  bus: ReturnType<MemoryNet["join"]>,
  given: Partial<FakeDeaOptions> & Pick<FakeDeaOptions, "id" | "beat">,
): FakeDea {
  const options: FakeDeaOptions = {
    ...{
      memory: 1024,
      disk: 4096,
      zone: "default",
      ack: true,
      ready: true,
      stopping: 0,
      terse: false,
      onStart: () => "take",
    },
    ...given,
  };
  const held: FakeInstance[] = [];
  const seen = {
    starts: [] as DeaStart[],
    stops: [] as InstanceFilter[],
    finds: [] as InstanceFilter[],
    updates: [] as FakeDea["updates"],
  };
  const living = () => held.filter((one) => alive.has(one.state));
  const holding = () => held.filter((one) => alive.has(one.state) || one.state === "STOPPING");
  const free = () => holding().reduce((left, { start }) => left - start.limits.mem, options.memory);
  const offer = () => ({
    available_memory: free(),
    available_disk: holding().reduce((left, { start }) => left - start.limits.disk, options.disk),
    app_id_to_count: Object.fromEntries(
      [...Map.groupBy(holding(), (one) => one.droplet)].map(([key, all]) => [key, all.length]),
    ),
    placement_properties: { zone: options.zone },
  });
  const advertise = () => {
    const more = options.ack ? { ack: 1 } : {};
    bus.publish(subjects.deaAdvertise, { id: options.id, ...offer(), ...more, runtimes: [], stacks: [], prod: false });
  };
  const add = (start: DeaStart, state: InstanceState) => {
    const { droplet, version, index } = start;
    const one: FakeInstance = {
      id: randomBytes(16).toString("hex"),
      droplet,
      version,
      index,
      state,
      since: seconds(),
      start,
    };
    held.push(one);
    advertise();
    return one;
  };
  const end = (one: FakeInstance, reason: DropletExited["reason"]) => {
    const { droplet, version, id: instance, index, exit } = one;
    const facts = { exit_status: exit?.status ?? 0, exit_description: exit?.description ?? "" };
    const crash = reason === "CRASHED" ? { crash_timestamp: seconds() } : {};
    bus.publish(subjects.dropletExited, {
      droplet,
      version,
      instance,
      index,
      reason,
      cc_partition: "default",
      ...facts,
      ...crash,
    });
    advertise();
  };
  const self: FakeDea = {
    id: options.id,
    held,
    ...seen,
    living: (droplet) => living().filter((one) => one.droplet === droplet),
    run(one) {
      Object.assign(one, { state: "RUNNING", since: seconds() });
      advertise();
    },
    crash(one, exit = { status: 1, description: "app instance exited" }) {
      Object.assign(one, { state: "CRASHED", since: seconds(), exit });
      end(one, "CRASHED");
    },
    plant: (start, state = "RUNNING") => add({ ...blankStart, ...start }, state),
    advertise,
    leave() {
      clearInterval(timer);
      void bus.close();
    },
  };
  bus.subscribe(subjects.deaLocate, advertise);
  bus.subscribe(subjects.deaDiscover, ({ limits, gather }, message) => {
    if (free() < limits.mem || !(gather || options.terse)) return;
    const hello = { id: options.id, ip: "10.0.0.9", port: 12345, version: "0.99" };
    message.reply(options.terse ? hello : { ...hello, ...offer(), max_memory: options.memory });
  });
  bus.subscribe(at(subjects.deaUuidStart, { uuid: options.id }), (start, message) => {
    seen.starts.push(start);
    const said = options.onStart(start);
    if (said === "silent") return;
    const reason = typeof said === "object" ? said.reason : free() < start.limits.mem ? "no_memory" : undefined;
    if (reason) return options.ack && message.reply({ ok: false, reason });
    const ready = typeof options.ready === "function" ? options.ready() : options.ready;
    const one = add(start, ready ? "RUNNING" : "STARTING");
    if (options.ack && said !== "lose answer") message.reply({ ok: true, instance: one.id });
  });
  bus.subscribe(subjects.deaStop, (filter) => {
    seen.stops.push(filter);
    for (const one of held.filter((each) => matches(filter, each))) {
      const wasAlive = alive.has(one.state);
      const gone = () => {
        held.splice(held.indexOf(one), 1);
        if (wasAlive) end(one, "STOPPED");
      };
      if (options.stopping === 0 || !wasAlive) gone();
      else {
        one.state = "STOPPING";
        setTimeout(gone, options.stopping);
      }
    }
  });
  bus.subscribe(subjects.deaUpdate, (update) => void seen.updates.push(update));
  bus.subscribe(subjects.deaFindDroplet, (filter, message) => {
    seen.finds.push(filter);
    for (const one of held.filter((each) => matches(filter, each))) message.reply(foundOf(options.id, one));
  });
  const timer = setInterval(advertise, 5 * options.beat);
  advertise();
  return self;
}

function foundOf(dea: string, one: FakeInstance) {
  const { droplet, version, id: instance, index, state, since: state_timestamp, exit } = one;
  const why = exit ? { exit_status: exit.status, exit_description: exit.description } : {};
  const usage = { time: "now", cpu: 150, mem: 2048, mem_bytes: 2_097_152, disk: 4096 };
  const stats = {
    name: "x",
    uris: [],
    host: "10.0.0.9",
    port: 61_001,
    uptime: 12,
    mem_quota: 1,
    disk_quota: 2,
    fds_quota: 3,
    cores: 2,
    usage,
  };
  return {
    dea,
    droplet,
    version,
    instance,
    index,
    state,
    state_timestamp,
    ...why,
    ...(state === "RUNNING" ? { stats } : {}),
  };
}

function matches(filter: InstanceFilter, one: FakeInstance): boolean {
  const ids = filter.instances ?? filter.instance_ids;
  if (filter.droplet !== one.droplet || (filter.version && filter.version !== one.version)) return false;
  if (ids && !ids.includes(one.id)) return false;
  if (filter.indices && !filter.indices.includes(one.index)) return false;
  return !filter.states || filter.states.includes(one.state);
}

const blankStart: DeaStart = {
  ...{
    droplet: "",
    name: "x",
    index: 0,
    version: "",
    uris: [],
    sha1: "",
    executableFile: "deprecated",
    executableUri: "",
  },
  ...{ runtime: "", framework: "", stack: "", prod: false, services: [], limits: { mem: 128, disk: 64, fds: 1024 } },
  ...{ env: [], users: [], cc_partition: "default", console: false },
};
