import { attention } from "./attention.ts";
import { census, running } from "./census.ts";
import { convergence } from "./converge.ts";
import { deas } from "./deas.ts";
import { finder } from "./find.ts";
import { launcher } from "./launch.ts";
import { logRing } from "./logRing.ts";
import { news } from "./news.ts";
import { nodes } from "./nodes.ts";
import type { EngineOptions } from "./options.ts";
import { rolls } from "./roll.ts";
import { slots } from "./slots.ts";
import { staging } from "./staging.ts";
import { voice } from "./voice.ts";

export type Parts = ReturnType<typeof parts>;

/** Makes the parts of the engine and ties them together. `life` is aborted when the run that is under way stops. */
export function parts(options: EngineOptions, life: () => AbortSignal) {
  const { bus, tables, beat, log } = options;
  const known = {
    deas: deas({ beat }),
    nodes: nodes({ beat }),
    ring: logRing(),
    slots: slots(),
    news: news(),
    attention: attention({ bus, beat }),
  };
  // A process younger than this controller's time on the bus has no instance that could have been missed.
  const isNew = (droplet: string) =>
    Date.parse(tables.processes.get(droplet)?.created_at ?? "") > known.attention.since();
  const complete = (droplet: string) => known.attention.complete() || (bus.connected && isNew(droplet));
  const find = finder({ bus, beat, ...known, complete });
  const launch = launcher({ bus, log, beat, ...known, finder: find });
  const shared = { ...options, ...known, voice: voice(bus), finder: find, launch, life, complete };
  const converging = convergence(shared);
  const ask = running({ bus, beat });
  return {
    ...shared,
    convergence: converging,
    staging: staging(shared),
    rolls: rolls({ ...shared, convergence: converging, id: `${options.index}-${process.pid}-${Date.now()}` }),
    running: ask,
    census: census({ tables, ask }),
  };
}
