import { type Dialed, dial } from "../bus/nats.ts";
import { componentId, presence } from "../bus/presence.ts";
import type { PortRange } from "../bus/status.ts";
import type { Tls } from "../bus/web.ts";
import { group } from "../run/group.ts";
import type { Log } from "../run/log.ts";
import type { Runner } from "../run/runner.ts";
import { recorder } from "./recorder.ts";

/** What a core does on the bus beside recording, and what it tells of that. */
export interface Duties {
  readonly runners: readonly Runner[];
  readonly varz: () => Record<string, unknown>;
  readonly healthy?: () => boolean | string;
}

export interface OnBusOptions {
  url: string;
  /** PEM: the server speaks TLS. */
  ca: string | undefined;
  seed: string;
  index: number;
  address: string;
  log: Log;
  tls: Tls | undefined;
  statusPorts: PortRange | undefined;
  duties: (dialed: Dialed) => Duties;
  varz: () => Record<string, unknown>;
}

/** The core as a member of its own bus: its presence, the recorder and its duties. */
export function onBus(options: OnBusOptions): Runner {
  const { varz, index, address, log, tls, statusPorts } = options;
  return {
    name: "core on the bus",
    async run(stop, ready) {
      const dialed = await joined(options, stop);
      if (!dialed) return;
      const { bus, close } = dialed;
      const self = { bus, type: "Core", index, uuid: componentId(index), address, log };
      const web = { ...(tls ? { tls } : {}), ...(statusPorts ? { statusPorts } : {}) };
      const recording = recorder({ bus, log });
      const duties = options.duties(dialed);
      const all = () => ({ ...varz(), recorded_messages: recording.size(), ...duties.varz() });
      const present = presence({ ...self, ...web, varz: all, ...(duties.healthy ? { healthy: duties.healthy } : {}) });
      try {
        await group("core on the bus", [recording.runner, present, ...duties.runners]).run(stop, ready);
      } finally {
        await close();
      }
    },
  };
}

// Being stopped while still dialling is no failure.
async function joined({ url, ca, seed, index, log }: OnBusOptions, stop: AbortSignal): Promise<Dialed | undefined> {
  const as = { name: `core-${index}`, user: "core", seed, log, stop };
  try {
    return await dial({ servers: url, ...as, ...(ca ? { ca } : {}) });
  } catch (error) {
    if (stop.aborted) return undefined;
    throw error;
  }
}
