import type { Runner } from "./runner.ts";
import { sleep } from "./sleep.ts";

export interface Every {
  /** Milliseconds between the end of one turn and the beginning of the next. */
  interval: number;
  /** Told of a turn that failed. A failed turn never ends the rhythm. */
  onError: (error: unknown) => void;
}

/** Does something at once and then again and again. Turns never overlap. */
export function every(name: string, { interval, onError }: Every, turn: () => unknown): Runner {
  return {
    name,
    async run(stop, ready) {
      let first = true;
      while (!stop.aborted) {
        try {
          await turn();
        } catch (error) {
          onError(error);
        }
        if (first) ready();
        first = false;
        await sleep(interval, stop);
      }
    },
  };
}
