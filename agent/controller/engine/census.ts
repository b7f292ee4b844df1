import type { Bus } from "../../bus/bus.ts";
import { subjects } from "../../bus/subjects.ts";
import type { Process } from "../records.ts";
import type { Tables } from "../tables.ts";
import { patience } from "./options.ts";

export type Running = (processes: readonly Process[]) => Promise<Map<string, number>>;

/** How many slots of many processes run, in one question to the health manager. Those it does not know are absent. */
export function running({ bus, beat }: { bus: Bus; beat: number }): Running {
  return async (processes) => {
    const droplets = processes.map(({ guid, version }) => ({ droplet: guid, version }));
    const timeout = patience(beat);
    const answers = await bus.gather(
      subjects.healthmanagerHealth,
      { droplets },
      { timeout, expected: droplets.length },
    );
    return new Map(answers.map(({ droplet, healthy }) => [droplet, healthy]));
  };
}

/** Figures for the controller's /varz. */
export interface Census {
  varz(): Record<string, number>;
  count(): Promise<void>;
}

/** Instances asked about in one message, so that it stays far below the size the bus allows. */
const slice = 1000;

export function census({ tables, ask }: { tables: Tables; ask: Running }): Census {
  let serving = -1;
  const started = () =>
    tables.processes.all().filter((one) => one.instances > 0 && tables.apps.get(one.app)?.state === "STARTED");
  return {
    varz: () => ({
      total_apps: tables.apps.all().length,
      total_users: tables.users.all().length,
      wanted_instances: started().reduce((sum, one) => sum + one.instances, 0),
      running_instances: serving,
    }),
    async count() {
      const all = started();
      let sum = 0;
      for (let from = 0; from < all.length; from += slice)
        for (const healthy of (await ask(all.slice(from, from + slice))).values()) sum += healthy;
      serving = sum;
    },
  };
}
