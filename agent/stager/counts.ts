interface Watched {
  readonly running: number;
  readonly waiting: number;
}

/** What a stager tells of itself. */
export interface Counts {
  /** From now on running and waiting are taken from there. */
  watch(queue: Watched): void;
  add(ok: boolean, milliseconds: number): void;
  varz(): { running: number; waiting: number; done: number; failed: number; seconds: number };
}

export function newCounts(): Counts {
  let queue: Watched = { running: 0, waiting: 0 };
  let done = 0;
  let failed = 0;
  let time = 0;
  return {
    watch(watched) {
      queue = watched;
    },
    add(ok, milliseconds) {
      if (ok) done++;
      else failed++;
      time += milliseconds;
    },
    varz: () => ({ running: queue.running, waiting: queue.waiting, done, failed, seconds: Math.round(time) / 1000 }),
  };
}
