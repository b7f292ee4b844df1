import type { Word } from "./words.ts";

export interface Clock {
  /** Does one step, and says how long it took. */
  step<T>(name: string, act: () => Promise<T>, tell?: (result: T) => string): Promise<T>;
  note(line: string): void;
}

/** Times what is done, and says so. */
export function clock(say: (word: Word) => void): Clock {
  return {
    async step(name, act, tell) {
      const began = performance.now();
      const result = await act();
      const seconds = Math.round(performance.now() - began) / 1000;
      const detail = tell?.(result);
      say({ kind: "step", step: { name, seconds, ...(detail && { detail }) } });
      return result;
    },
    note: (line) => say({ kind: "note", line }),
  };
}
