import type { Bus } from "../bus/bus.ts";
import { componentId, presence } from "../bus/presence.ts";
import type { PortRange } from "../bus/status.ts";
import type { Tls } from "../bus/web.ts";
import { every } from "../run/every.ts";
import { group } from "../run/group.ts";
import type { Log } from "../run/log.ts";
import type { Runner } from "../run/runner.ts";
import { type Lease, lease } from "../store/lease.ts";
import type { Store } from "../store/store.ts";
import { bulk } from "./bulk.ts";
import { counters } from "./counters.ts";
import { type Ears, listener } from "./listen.ts";
import { Mind } from "./mind.ts";
import { Reader } from "./reader.ts";
import { speaker } from "./speaker.ts";
import { defaults, type Thresholds } from "./thresholds.ts";
import { totals } from "./totals.ts";

export interface HealthOptions {
  /** A connection of its own. */
  bus: Bus;
  /** Holds the lease: of several health managers one leads. */
  store: Store;
  log: Log;
  index: number;
  /** IP at which other nodes reach this one. */
  address: string;
  /** Milliseconds. */
  beat: number;
  /** What its servers show to other nodes; without it they speak HTTP. */
  tls?: Tls | undefined;
  /** Where the status server may listen. Absent: any free port. */
  statusPorts?: PortRange | undefined;
  /** In beats; what is absent has the value of `defaults`. */
  thresholds?: Partial<Thresholds>;
  /** Base of the bulk interface, for controllers that do not tell it with their credentials. */
  bulkUrl?: string;
  /** In [0, 1): spreads the delays of what crashes. */
  random?: () => number;
}

/** Compares what should run with what does, and asks the controllers for the difference. */
export function health(options: HealthOptions): Runner {
  return {
    name: "health",
    run: (stop, ready) => assemble(options).run(stop, ready),
  };
}

/** Everything is made anew for each run: after a restart nothing old may be believed. */
function assemble(options: HealthOptions): Runner {
  const { bus, store, log, index, address, beat, tls, statusPorts } = options;
  const uuid = componentId(index);
  const leading = lease(store, "health", { holder: uuid, beat, log });
  const ears = senses(options, leading);
  const failed = (error: unknown) => log.error({ error: String(error) }, "a turn of the health manager failed");
  return group("health", [
    leading.runner,
    listener(ears),
    every("health turns", { interval: beat, onError: failed }, () => turn(ears)),
    presence({
      bus,
      log,
      index,
      address,
      tls,
      statusPorts,
      uuid,
      type: "HealthManager",
      varz: () => varz(ears),
      healthy: () => well(ears),
    }),
  ]);
}

function senses({ bus, log, beat, bulkUrl, ...options }: HealthOptions, leading: Lease): Ears {
  // A clock that never jumps: a corrected wall clock must not look like a silence.
  const now = () => performance.now();
  const thresholds = { ...defaults, ...options.thresholds };
  const random = options.random ?? Math.random;
  const mind = new Mind({ thresholds, beat, random, now: now(), connected: bus.connected });
  const counted = counters();
  const source = bulk({ bus, beat, ...(bulkUrl ? { url: bulkUrl } : {}) });
  const onRun: Mind["read"] = (run, began) => mind.read(run, began);
  const reader = new Reader({ bulk: source, log, beat, refresh: mind.times.refresh, now, onRun });
  const voice = speaker({ bus, log, counters: counted });
  return { bus, mind, reader, speaker: voice, counters: counted, now, leads: () => leading.held };
}

function turn({ mind, reader, speaker, counters, now, leads }: Ears): void {
  const began = now();
  const turned = mind.turn(began, leads());
  counters.analysis_loop_duration = (now() - began) / 1000;
  speaker.turned(turned, leads());
  reader.poke();
}

function varz({ mind, counters, now, leads }: Ears): Record<string, unknown> {
  return { ...totals(mind), ...counters, leads: leads(), undecided_because: mind.closed(now()) ?? "" };
}

/** Deaf is not ill: a cluster may have no DEA yet. A desired state that cannot be read is. */
function well({ reader }: Ears): boolean | string {
  return reader.failures < 3 || "the desired state cannot be read";
}
