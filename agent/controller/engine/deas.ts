import type { DeaAdvertise } from "../../bus/messages/placement.ts";

/** What a DEA has advertised, corrected by what this controller placed there since. MiB. */
export interface Dea {
  readonly id: string;
  memory: number;
  disk: number | undefined;
  readonly stacks: readonly string[];
  readonly zone: string;
  /** Answers a start that is sent as a request. */
  readonly ack: boolean;
  /** Instances of each process. */
  readonly counts: Record<string, number>;
  /** Milliseconds of the attention clock, as every `now` here. */
  readonly seen: number;
}

/** What one instance takes. MiB. */
export interface Load {
  droplet: string;
  memory: number;
  disk: number;
}

/** The DEAs that advertised themselves within the last ten beats. */
export interface Deas {
  heard(advert: DeaAdvertise, now: number): void;
  gone(id: string): void;
  alive(now: number): Dea[];
  get(id: string): Dea | undefined;
  /** Corrects the copy at once after a choice, so that a burst does not pile up on one DEA before its next advert. */
  take(id: string, load: Load): void;
  give(id: string, load: Load): void;
  /** Instances of a process on all DEAs, as advertised. */
  count(droplet: string, now: number): number;
}

export function deas({ beat }: { beat: number }): Deas {
  const known = new Map<string, Dea>();
  const alive = (now: number) => {
    for (const [id, dea] of known) if (now - dea.seen > 10 * beat) known.delete(id);
    return [...known.values()];
  };
  const correct = (id: string, { droplet, memory, disk }: Load, sign: number) => {
    const dea = known.get(id);
    if (!dea) return;
    dea.memory -= sign * memory;
    if (dea.disk !== undefined) dea.disk -= sign * disk;
    dea.counts[droplet] = Math.max(0, (dea.counts[droplet] ?? 0) + sign);
  };
  return {
    heard(advert, now) {
      known.set(advert.id, {
        id: advert.id,
        memory: advert.available_memory,
        disk: advert.available_disk,
        stacks: advert.stacks,
        zone: advert.placement_properties.zone,
        ack: Boolean(advert.ack),
        counts: { ...advert.app_id_to_count },
        seen: now,
      });
    },
    gone: (id) => void known.delete(id),
    alive,
    get: (id) => known.get(id),
    take: (id, load) => correct(id, load, 1),
    give: (id, load) => correct(id, load, -1),
    count: (droplet, now) => alive(now).reduce((sum, dea) => sum + (dea.counts[droplet] ?? 0), 0),
  };
}
