import type { Bus } from "../../bus/bus.ts";
import type { DeaFound } from "../../bus/messages/instance.ts";
import { subjects } from "../../bus/subjects.ts";
import type { Log } from "../../run/log.ts";
import { sleep } from "../../run/sleep.ts";
import type { Process } from "../records.ts";
import { batchOf, runnable } from "./deploy.ts";
import type { Finder } from "./find.ts";
import { inTurn } from "./inTurn.ts";
import type { Launched, launcher } from "./launch.ts";
import type { News } from "./news.ts";
import type { EngineOptions } from "./options.ts";
import { plan } from "./plan.ts";
import type { Slots } from "./slots.ts";
import type { Voice } from "./voice.ts";

export interface Convergence {
  converge(guid: string): Promise<void>;
  stop(guid: string): void;
  stopInstances(process: string, found: readonly DeaFound[]): void;
  /** Starts slots of a process and remembers those that found no room. */
  start(process: Process, indices: readonly number[], flapping?: boolean): Promise<Launched>;
}

export interface ConvergenceOptions extends EngineOptions {
  finder: Finder;
  slots: Slots;
  news: News;
  voice: Voice;
  launch: ReturnType<typeof launcher>;
  /** Aborted when the controller stops. */
  life: () => AbortSignal;
  /** Whether the adverts tell where instances of this process are. */
  complete: (droplet: string) => boolean;
}

/** Instances that were just told to stop hold their room for so many beats at most. */
const leaving = 15;
/** Beats after which all DEAs have advertised themselves, with some slack. */
const settling = 8;

export function convergence(options: ConvergenceOptions): Convergence {
  const { bus, tables, finder, voice, log, beat, life, complete } = options;
  const turns = inTurn();
  const start = starting(options);
  async function turn(guid: string): Promise<void> {
    const now = runnable(tables, guid);
    // Nothing is decided while nobody can be heard: the health manager makes good what is missed here.
    if (!bus.connected) return log.warn({ droplet: guid }, "the bus is away: nothing was started or stopped");
    voice.updated(guid);
    if (!now) return stopAll(bus, guid);
    await known(guid);
    const { start: missing, stop } = plan(now.process, await finder.alive(guid));
    stopFound(bus, guid, stop);
    const { homeless } = await start(now.process, missing);
    if (homeless.length > 0 && stop.length > 0) retry(guid).catch(failed(log, guid));
  }
  /** Who has just come to the bus first lets the DEAs show themselves: what is not seen yet would be started twice. */
  async function known(guid: string) {
    for (let beats = 0; beats < settling && !complete(guid) && !life().aborted; beats++) await sleep(beat, life());
  }
  /** What was told to stop makes room soon: sooner than the health manager would notice what is missing. */
  async function retry(guid: string) {
    for (let beats = 0; beats < leaving && !life().aborted; beats++) {
      await sleep(beat, life());
      const now = runnable(tables, guid);
      if (!now) return;
      const { start: missing } = plan(now.process, await finder.alive(guid));
      if ((await start(now.process, missing)).homeless.length === 0) return;
    }
  }
  return {
    converge: (guid) => turns(guid, () => turn(guid)),
    stop(guid) {
      stopAll(bus, guid);
      voice.updated(guid);
    },
    stopInstances: (guid, found) => stopFound(bus, guid, found),
    start,
  };
}

function starting({ slots, news, voice, launch, ...options }: ConvergenceOptions): Convergence["start"] {
  return async (process, indices, flapping) => {
    const batch = batchOf(options, process, flapping);
    if (!batch || indices.length === 0) return { started: [], homeless: [] };
    const launched = await launch(batch, indices);
    for (const index of launched.started) slots.clear(process.guid, index);
    for (const { index, why } of launched.homeless) {
      // Said once, not each time the health manager asks again.
      if (slots.get(process.guid, index)?.details !== why) {
        voice.line(process.app, `instance ${index} of ${process.type} has no place: ${why}`);
        voice.system("START_INSTANCE", `${batch.name}/${index}`, "FAILED");
      }
      slots.note(process.guid, index, { details: why, at: Date.now() });
    }
    if (launched.started.length > 0) news.tell([process.guid]);
    return launched;
  };
}

function stopAll(bus: Bus, droplet: string): void {
  bus.publish(subjects.deaStop, { droplet });
}

/** Stops exactly these. Never an empty list: some DEAs take it for "all". */
function stopFound(bus: Bus, droplet: string, found: readonly DeaFound[]): void {
  if (found.length === 0) return;
  for (const [version, same] of Map.groupBy(found, (one) => one.version)) {
    const ids = same.map((one) => one.instance);
    const indices = [...new Set(same.map((one) => one.index))].sort((a, b) => a - b);
    bus.publish(subjects.deaStop, { droplet, version, instances: ids, instance_ids: ids, indices });
  }
}

const failed = (log: Log, guid: string) => (error: unknown) =>
  log.error({ err: error, droplet: guid }, "a process could not be brought to its wanted state");
