import type { Io } from "../io.ts";

/** Prints what is being done, and when it is done, how long it took. */
export interface Steps {
  /** Does one step under a name; what it resolves to is printed behind it. */
  step<T>(name: string, act: () => Promise<T>, tell?: (result: T) => string): Promise<T>;
  done(name: string, seconds: number, detail?: string): void;
}

export function steps({ note, paint }: Io, stop?: AbortSignal): Steps {
  const done = (name: string, seconds: number, detail = "") =>
    note(
      `${paint("green", "✓")} ${name.padEnd(24)} ${paint("dim", `${seconds.toFixed(2).padStart(6)} s`)}  ${detail}`.trimEnd(),
    );
  return {
    done,
    async step(name, act, tell) {
      const began = performance.now();
      const result = await act();
      // What ends while everything is being stopped is no news, and nothing follows on it.
      stop?.throwIfAborted();
      done(name, (performance.now() - began) / 1000, tell?.(result));
      return result;
    },
  };
}
