import type { Deployment, Process } from "../records.ts";

/** A rolling deployment as it stands. */
export interface RollPicture {
  deployment: Pick<Deployment, "reason" | "maxInFlight">;
  /** Whether the app is to run at all. */
  started: boolean;
  /** Instances the app shall have in the end. */
  target: number;
  /** Wanted instances of the new process. */
  fresh: number;
  /** How many of them run and have had the time to get into the routers. */
  healthy: number;
  /** Wanted instances of all older web processes together. */
  old: number;
  /** How many of them run. */
  oldHealthy: number;
  /** Beats since the roll last got on. */
  stuck: number;
}

export type RollStep =
  | { do: "wait" }
  /** So many instances of the new process. */
  | { do: "grow"; fresh: number }
  /** So many instances of all older processes together. */
  | { do: "shrink"; old: number }
  | { do: "finish" }
  /** The new process does not come up: back to the old one. */
  | { do: "cancel" }
  | { do: "restore" }
  | { do: "discard" };

/** Beats without progress after which a deployment is taken back. */
export const rollDeadline = 600;
/** Beats that a cancelled deployment waits for the old instances: they may need the room of the new ones. */
const restoreDeadline = 30;

/**
 * The next step of a roll: a few new instances, and only when they all serve as many old ones fewer. So there are never
 * fewer instances that serve than wanted, and never more than `maxInFlight` too many.
 */
export function rollStep(picture: RollPicture): RollStep {
  const { deployment, started, target, fresh, healthy, old, stuck } = picture;
  if (deployment.reason === "CANCELING") return backStep(picture);
  if (!started) return { do: "finish" };
  if (healthy < fresh) return stuck > rollDeadline ? { do: "cancel" } : { do: "wait" };
  const stillNeeded = Math.max(0, target - fresh);
  if (old > stillNeeded) return { do: "shrink", old: stillNeeded };
  if (fresh < target) return { do: "grow", fresh: Math.min(target, fresh + Math.max(1, deployment.maxInFlight)) };
  return { do: "finish" };
}

function backStep({ started, target, old, oldHealthy, fresh, stuck }: RollPicture): RollStep {
  if (old < target) return { do: "restore" };
  const served = oldHealthy >= target || !started || fresh === 0;
  return served || stuck > restoreDeadline ? { do: "discard" } : { do: "wait" };
}

/** How many instances each of the older processes keeps. The youngest gives first: it may be a roll that never worked. */
export function shares(old: readonly Process[], total: number): Map<string, number> {
  let rest = total;
  const oldestFirst = old.toSorted((a, b) => (a.created_at < b.created_at ? -1 : 1));
  return new Map(
    oldestFirst.map((one) => {
      const share = Math.min(one.instances, rest);
      rest -= share;
      return [one.guid, share];
    }),
  );
}
