import { constants } from "node:os";
import { Fault } from "../fault.ts";

/** Ctrl-C, `kill` and a terminal that is closed: one wish to stop, however often it is said. */
export interface Interrupt {
  /** Aborted with a Fault whose exit code is that of the signal. */
  readonly stop: AbortSignal;
  /** The promise, unless the wish comes first: then it rejects with it. */
  guard<T>(act: Promise<T>): Promise<T>;
  /** Gives the signals back. */
  release(): void;
}

const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Takes these signals from now on until they are given back. They stay taken after the first: npm, and a Node in front
 * of ours, pass on the Ctrl-C that the terminal has sent us already, and the second must not cut the stopping short.
 */
export function interrupts(source: NodeJS.EventEmitter = process): Interrupt {
  const controller = new AbortController();
  const on = (signal: NodeJS.Signals) =>
    controller.abort(
      new Fault("interrupted", {
        code: "interrupted",
        hint: "the next start goes on from here",
        exit: 128 + constants.signals[signal],
      }),
    );
  for (const signal of signals) source.on(signal, on);
  const { signal: stop } = controller;
  return {
    stop,
    guard: (act) => Promise.race([act, rejection(stop)]),
    release: () => {
      for (const signal of signals) source.off(signal, on);
    },
  };
}

function rejection(stop: AbortSignal): Promise<never> {
  const wish = new Promise<never>((_, reject) => {
    if (stop.aborted) reject(stop.reason);
    stop.addEventListener("abort", () => reject(stop.reason), { once: true });
  });
  // Whoever races against it is told; nobody need be there.
  wish.catch(() => {});
  return wish;
}
