import type { Bus } from "../../bus/bus.ts";
import { subjects } from "../../bus/subjects.ts";
import { Fault } from "../../run/fault.ts";
import type { InstanceView } from "../engine.ts";
import type { Process } from "../records.ts";
import type { Tables } from "../tables.ts";
import type { Finder } from "./find.ts";
import { fresh } from "./fresh.ts";
import { patience } from "./options.ts";
import type { Slots } from "./slots.ts";
import { views } from "./views.ts";

export interface InstancesOptions {
  bus: Bus;
  tables: Tables;
  beat: number;
  finder: Finder;
  slots: Slots;
}

/**
 * Looks at the instances of a process. Several clients that look at the same one share an answer for half a beat.
 * Rejects with a Fault (`bus_away`) rather than show as down what cannot be seen.
 */
export function instances(options: InstancesOptions): (process: Process) => Promise<InstanceView[]> {
  // A slot that starts will run in a moment, and whoever waits for it should not be told an old story.
  const settled = (all: InstanceView[]) => all.every(({ state }) => state !== "STARTING");
  const shared = fresh(options.beat / 2, settled);
  return (process) =>
    shared.get(`${process.guid} ${process.version} ${process.instances}`, () => look(options, process));
}

const busAway = () =>
  new Fault("the bus is away: nobody can tell what runs", { code: "bus_away", hint: "try again in a moment" });

async function look({ bus, tables, beat, finder, slots }: InstancesOptions, process: Process): Promise<InstanceView[]> {
  const { guid, version } = process;
  const now = Math.floor(Date.now() / 1000);
  const picture = { process, now, note: (index: number) => slots.get(guid, index), crashed: [], flapping: [] };
  if (tables.apps.get(process.app)?.state !== "STARTED") return views({ ...picture, alive: [], note: () => undefined });
  if (!bus.connected) throw busAway();
  const alive = await finder.alive(guid, { version, include_stats: true });
  const lacking = process.instances - new Set(alive.map((one) => one.index)).size;
  if (lacking <= 0) return views({ ...picture, alive });
  const question = { droplet: guid, version, state: "FLAPPING" };
  const [crashed, status] = await Promise.all([
    finder.find(guid, { version, states: ["CRASHED"], expected: lacking }),
    bus.request(subjects.healthmanagerStatus, question, { timeout: 2 * patience(beat) }),
  ]);
  return views({ ...picture, alive, crashed, flapping: status?.indices ?? [] });
}
