import type { DeaAdvertise } from "../../bus/messages/placement.ts";
import { subjects } from "../../bus/subjects.ts";
import { type Runner, stopped } from "../../run/runner.ts";
import type { Attention } from "./attention.ts";
import type { Deas } from "./deas.ts";
import type { LogRing } from "./logRing.ts";
import type { News } from "./news.ts";
import type { Nodes } from "./nodes.ts";
import type { EngineOptions } from "./options.ts";
import type { Slots } from "./slots.ts";

export interface ListenOptions extends EngineOptions {
  deas: Deas;
  nodes: Nodes;
  ring: LogRing;
  slots: Slots;
  news: News;
  attention: Attention;
  /** What else listens while the controller runs. */
  others: () => { stop(): void }[];
}

/** Everything the controller hears. When it comes to the bus, and each time it comes back, it asks the DEAs to show themselves. */
export function listen(options: ListenOptions): Runner {
  const { bus, deas, nodes, ring, slots, news, tables, attention } = options;
  // A DEA advertises itself with each change: whatever it held or holds may stand differently now.
  const advertised = (advert: DeaAdvertise) => {
    const before = Object.keys(deas.get(advert.id)?.counts ?? {});
    deas.heard(advert, attention.now());
    news.tell([...before, ...Object.keys(advert.app_id_to_count)]);
  };
  return {
    name: "listening",
    async run(stop, ready) {
      const heard = [
        bus.subscribe(subjects.deaAdvertise, advertised),
        bus.subscribe(subjects.deaShutdown, ({ id }) => deas.gone(id)),
        bus.subscribe(subjects.nodeBeat, (beat) => nodes.heard(beat, attention.now())),
        bus.subscribe(subjects.log, (lines) => ring.add(lines)),
        ...options.others(),
      ];
      const arrive = () => {
        attention.arrive();
        bus.publish(subjects.deaLocate, {});
      };
      const unwatch = bus.onConnection((connected) => connected && arrive());
      const forget = tables.processes.onChange((process, guid) => {
        if (!process) slots.forget(guid);
        news.tell([guid]);
      });
      const unfollow = tables.apps.onChange((_app, guid) => {
        const all = tables.processes.all().filter((one) => one.app === guid);
        news.tell(all.map((one) => one.guid));
      });
      arrive();
      ready();
      await stopped(stop);
      forget();
      unfollow();
      unwatch();
      for (const one of heard) one.stop();
    },
  };
}
