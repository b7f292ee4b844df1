import type { LogLines } from "../../bus/messages/component.ts";
import type { LogEntry } from "../engine.ts";

export interface LogRingOptions {
  /** Lines kept of each app. */
  lines?: number;
  /** Bytes kept of all apps together: the apps that were silent longest are dropped first. */
  bytes?: number;
}

export interface LogQuery {
  /** Unix nanoseconds; `end` itself is not included. */
  start?: bigint;
  end?: bigint;
  limit: number;
  /** Newest first: the newest `limit` lines. Else the oldest `limit` lines. */
  descending: boolean;
  /** Kinds of envelopes; only LOG is kept. */
  types?: string[];
}

interface Ring {
  entries: LogEntry[];
  /** Where the oldest entry stands: dropping one moves this instead of all the others. */
  from: number;
  bytes: number;
}

export interface LogRing {
  add(lines: LogLines): void;
  read(app: string, query: LogQuery): LogEntry[];
}

const cost = (entry: LogEntry) => 2 * entry.text.length + 100;

/** The last lines of every app's log, in memory. */
export function logRing({ lines: most = 5000, bytes: room = 64 * 1024 * 1024 }: LogRingOptions = {}): LogRing {
  const rings = new Map<string, Ring>();
  let total = 0;
  const ringOf = (app: string): Ring => {
    const ring = rings.get(app) ?? { entries: [], from: 0, bytes: 0 };
    rings.delete(app);
    rings.set(app, ring);
    return ring;
  };
  const grow = (ring: Ring, bytes: number) => {
    ring.bytes += bytes;
    total += bytes;
  };
  const dropOldest = (ring: Ring) => {
    const oldest = ring.entries[ring.from++];
    if (oldest) grow(ring, -cost(oldest));
    if (ring.from <= ring.entries.length / 2) return;
    ring.entries.splice(0, ring.from);
    ring.from = 0;
  };
  const makeRoom = (writer: Ring) => {
    for (const [app, ring] of rings) {
      if (total <= room) return;
      if (ring === writer) while (total > room && ring.entries.length - ring.from > 1) dropOldest(ring);
      else {
        rings.delete(app);
        total -= ring.bytes;
      }
    }
  };
  return {
    add({ app, source, instance, lines }) {
      const ring = ringOf(app);
      for (const { at, err = false, text } of lines) {
        const entry = { at: after(ring.entries.at(-1), at), source, instance, err, text };
        ring.entries.push(entry);
        grow(ring, cost(entry));
        if (ring.entries.length - ring.from > most) dropOldest(ring);
      }
      makeRoom(ring);
    },
    read(app, query) {
      const ring = rings.get(app);
      return ring ? select(ring.entries.slice(ring.from), query) : [];
    },
  };
}

/** Times are unique and follow arrival: who reads on from the last time it saw misses no line and sees none twice. */
function after(last: LogEntry | undefined, ms: number): bigint {
  const at = BigInt(Math.floor(ms)) * 1_000_000n;
  return last && at <= last.at ? last.at + 1n : at;
}

function select(entries: LogEntry[], { start, end, limit, descending, types }: LogQuery): LogEntry[] {
  if (types?.length && !types.some((type) => ["LOG", "ANY"].includes(type))) return [];
  const within = entries.filter(({ at }) => (start === undefined || at >= start) && (end === undefined || at < end));
  return descending ? within.slice(-limit).reverse().slice(0, limit) : within.slice(0, limit);
}
