import { subjects } from "../../bus/subjects.ts";
import { type Runner, stopped } from "../../run/runner.ts";
import type { Deas } from "./deas.ts";
import type { LogRing } from "./logRing.ts";
import type { Nodes } from "./nodes.ts";
import type { EngineOptions } from "./options.ts";
import type { Slots } from "./slots.ts";

export interface ListenOptions extends EngineOptions {
  deas: Deas;
  nodes: Nodes;
  ring: LogRing;
  slots: Slots;
  /** Told when the controller has come (back) to the bus. */
  arrived: (now: number) => void;
  /** What else listens while the controller runs. */
  others: () => { stop(): void }[];
}

/** Everything the controller hears. When it comes to the bus, and each time it comes back, it asks the DEAs to show themselves. */
export function listen(options: ListenOptions): Runner {
  const { bus, deas, nodes, ring, slots, tables } = options;
  return {
    name: "listening",
    async run(stop, ready) {
      const heard = [
        bus.subscribe(subjects.deaAdvertise, (advert) => deas.heard(advert, Date.now())),
        bus.subscribe(subjects.deaShutdown, ({ id }) => deas.gone(id)),
        bus.subscribe(subjects.nodeBeat, (beat) => nodes.heard(beat, Date.now())),
        bus.subscribe(subjects.log, (lines) => ring.add(lines)),
        ...options.others(),
      ];
      const arrive = () => {
        deas.freshen(Date.now());
        nodes.freshen(Date.now());
        options.arrived(Date.now());
        bus.publish(subjects.deaLocate, {});
      };
      const unwatch = bus.onConnection((connected) => connected && arrive());
      const forget = tables.processes.onChange((process, guid) => !process && slots.forget(guid));
      arrive();
      ready();
      await stopped(stop);
      forget();
      unwatch();
      for (const one of heard) one.stop();
    },
  };
}
