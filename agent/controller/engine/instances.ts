import type { Bus } from "../../bus/bus.ts";
import { Fault } from "../../run/fault.ts";
import type { InstanceView } from "../engine.ts";
import type { Process } from "../records.ts";
import type { Tables } from "../tables.ts";
import { crashes } from "./crashes.ts";
import type { Finder } from "./find.ts";
import { fresh } from "./fresh.ts";
import { type News, nextNews } from "./news.ts";
import type { Slots } from "./slots.ts";
import { views } from "./views.ts";

export interface InstancesOptions {
  bus: Bus;
  tables: Tables;
  beat: number;
  finder: Finder;
  slots: Slots;
  news: News;
}

/** Looks that news may break off for one client: whoever asks shall not wait for silence while something happens. */
const breaks = 5;

/**
 * Looks at the instances of a process. Several clients that look at the same one share an answer for half a beat, or
 * until something about it changes. Rejects with a Fault (`bus_away`) rather than show as down what cannot be seen.
 */
export function instances(options: InstancesOptions): (process: Process) => Promise<InstanceView[]> {
  // A slot that starts will run in a moment, and whoever waits for it should not be told an old story.
  const settled = (all: InstanceView[]) => all.every(({ state }) => state !== "STARTING");
  const shared = fresh(options.beat / 2, settled);
  const keyOf = ({ guid, version, instances: wanted }: Process) => `${guid} ${version} ${wanted}`;
  options.news.on((processes) => shared.forget((key) => processes.has(key.slice(0, key.indexOf(" ")))));
  return async (process) => {
    for (let turn = 0; ; turn++) {
      const seen = shared.get(keyOf(process), () => look(options, process));
      if (turn === breaks) return await seen;
      const next = nextNews(options.news, process.guid);
      const first = await Promise.race([seen, next.heard]).finally(next.leave);
      if (first !== "again") return first;
      seen.catch(() => {});
    }
  };
}

const busAway = () =>
  new Fault("the bus is away: nobody can tell what runs", { code: "bus_away", hint: "try again in a moment" });

async function look(options: InstancesOptions, process: Process): Promise<InstanceView[]> {
  const { bus, tables, finder, slots } = options;
  const { guid, version } = process;
  const now = Math.floor(Date.now() / 1000);
  const picture = { process, now, note: (index: number) => slots.get(guid, index), crashed: [], flapping: [] };
  if (tables.apps.get(process.app)?.state !== "STARTED") return await stopped(options, picture);
  if (!bus.connected) throw busAway();
  const alive = await finder.alive(guid, { version, include_stats: true });
  const lacking = process.instances - new Set(alive.map((one) => one.index)).size;
  if (lacking <= 0) return views({ ...picture, alive });
  const ask = crashes(options, process);
  const [crashed, flapping] = await Promise.all([ask.crashed(lacking), ask.flapping()]);
  return views({ ...picture, alive, crashed, flapping });
}

type Stopped = Omit<Parameters<typeof views>[0], "alive">;

/** Nothing of it runs, whatever is said. But how its last instances ended may still be known. */
async function stopped(options: InstancesOptions, picture: Stopped): Promise<InstanceView[]> {
  const crashed = options.bus.connected ? await crashes(options, picture.process).named() : [];
  const all = views({ ...picture, alive: [], crashed, note: () => undefined });
  return all.map((one) => ({ ...one, state: "DOWN" }));
}
