import type { Instance } from "./instance.ts";

export interface RetentionRules {
  now: number;
  /** Milliseconds. */
  lifetime: number;
  /** Used part of the file system, 0..1. */
  used: number;
}

/** Crashes of one app that are kept at most: an app in a crash loop must not fill the disk for an hour. */
const perApp = 10;

const pressure = 0.8;

/** The crashed instances whose time is over. Under disk pressure only the newest of each app stays. */
export function outlived(instances: Iterable<Instance>, { now, lifetime, used }: RetentionRules): Instance[] {
  const crashed = [...instances].filter((one) => one.state === "CRASHED" && one.exit?.told);
  const kept = used > pressure ? 1 : perApp;
  return [...Map.groupBy(crashed, (one) => one.droplet).values()].flatMap((group) =>
    group
      .toSorted((a, b) => b.since - a.since)
      .filter((one, rank) => rank >= kept || one.flapping || now - one.since >= lifetime),
  );
}
