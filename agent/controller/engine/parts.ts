import { census, running } from "./census.ts";
import { convergence } from "./converge.ts";
import { deas } from "./deas.ts";
import { finder } from "./find.ts";
import { launcher } from "./launch.ts";
import { logRing } from "./logRing.ts";
import { nodes } from "./nodes.ts";
import type { EngineOptions } from "./options.ts";
import { rolls } from "./roll.ts";
import { slots } from "./slots.ts";
import { staging } from "./staging.ts";
import { voice } from "./voice.ts";

/** The one run of an engine that is under way. */
export interface Life {
  /** Aborted when it stops. */
  signal: () => AbortSignal;
  /** When it came (back) to the bus, in milliseconds; infinity before. */
  arrived: () => number;
}

export type Parts = ReturnType<typeof parts>;

/** Makes the parts of the engine and ties them together. */
export function parts(options: EngineOptions, life: Life) {
  const { bus, tables, beat, log } = options;
  const known = { deas: deas({ beat }), nodes: nodes({ beat }), ring: logRing(), slots: slots() };
  // DEAs advertise themselves every five beats: after six, whoever has not is not there.
  const complete = () => bus.connected && Date.now() - life.arrived() > 6 * beat;
  const find = finder({ bus, beat, deas: known.deas, complete });
  const launch = launcher({ bus, log, beat, deas: known.deas, finder: find });
  const shared = { ...options, ...known, voice: voice(bus), finder: find, launch, life: life.signal };
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
