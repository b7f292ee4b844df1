/** Numbers of HAProxy's backends, handed out from 1 on. */
export interface Slots {
  take(now: number): number;
  release(slot: number, now: number): void;
  /** The highest number in use or resting. */
  readonly highest: number;
}

/**
 * A released number rests `quarantine` ms before it is used again: a request that was sent to the backend before, and
 * is being retried there, must not meet another app's instances.
 */
export function slotNumbers(quarantine: number): Slots {
  const resting: { slot: number; since: number }[] = [];
  let highest = 0;
  return {
    take(now) {
      const oldest = resting[0];
      if (!oldest || now - oldest.since < quarantine) return ++highest;
      resting.shift();
      return oldest.slot;
    },
    release(slot, since) {
      resting.push({ slot, since });
    },
    get highest() {
      return highest;
    },
  };
}
