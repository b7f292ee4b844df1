import type { Thresholds } from "./thresholds.ts";

/**
 * How long a slot waits after its n-th crash in a row: not at all for the first ones, then the minimum, doubled each
 * time up to the maximum. Infinity once it is given up. `random` is in [0, 1).
 */
export function crashDelay(crashes: number, thresholds: Thresholds, random: number): number {
  const { freeCrashes, minDelay, maxDelay, noise, giveUp } = thresholds;
  if (giveUp !== undefined && crashes > giveUp) return Number.POSITIVE_INFINITY;
  if (crashes <= freeCrashes) return 0;
  const delay = Math.min(maxDelay, minDelay * 2 ** Math.min(30, crashes - freeCrashes - 1));
  return delay * (1 + noise * (2 * random - 1));
}
