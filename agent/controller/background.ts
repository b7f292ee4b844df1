import type { Log } from "../run/log.ts";

export interface Background {
  begin(what: string, work: () => Promise<unknown>): void;
  /** Resolves when nothing is under way any more. */
  settled(): Promise<void>;
}

/** Work that nobody waits for, but that is not torn off when the controller stops. */
export function background(log: Log): Background {
  const running = new Set<Promise<unknown>>();
  return {
    begin(what, work) {
      const one = work().catch((error: unknown) =>
        log.error({ what, error: String(error) }, "Work in the background failed"),
      );
      running.add(one);
      one.finally(() => running.delete(one));
    },
    async settled() {
      while (running.size > 0) await Promise.all(running);
    },
  };
}
