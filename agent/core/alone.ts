import type { Dialed } from "../bus/nats.ts";
import type { Log } from "../run/log.ts";
import { jetstreamStore } from "../store/jetstream.ts";
import type { Duties } from "./onBus.ts";
import { roster } from "./roster.ts";
import { wishing } from "./wishing.ts";

/** The duties of the core of a cluster of one machine: nobody has to be let in, but the node may get other roles. */
export function alone({ bus, connection }: Dialed, { beat, log }: { beat: number; log: Log }): Duties {
  const store = jetstreamStore(connection, { log });
  const known = { members: new Map(), wishes: new Map() };
  const list = roster({ known, beat, log, onChange: () => {} });
  const wishes = wishing({ bus, store, roster: list, settled: async () => {}, beat });
  return { runners: [wishes, list.following(store)], varz: () => ({}) };
}
