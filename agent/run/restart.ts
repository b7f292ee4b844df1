import { type Runner, start } from "./runner.ts";
import { sleep } from "./sleep.ts";

export interface RestartOptions {
  /** Milliseconds before the first retry; doubles up to `maxDelay`. */
  minDelay: number;
  maxDelay: number;
  /** A run that lasted this long (ms) resets the delay. */
  settled?: number;
  /** Told of each unasked end, before the delay. */
  onExit?: (error: Error | undefined, delay: number) => void;
}

/** Runs a runner again whenever it ends unasked, waiting longer each time it fails early. Ends only when stopped. */
export function restart(runner: Runner, options: RestartOptions): Runner {
  const { minDelay, maxDelay, settled = 10 * maxDelay, onExit } = options;
  return {
    name: runner.name,
    async run(stop, ready) {
      let delay = minDelay;
      while (!stop.aborted) {
        const began = performance.now();
        const one = start(runner);
        one.ready.then(ready, () => {});
        const ended = one.exited.then(
          () => undefined,
          (error: unknown) => (error instanceof Error ? error : new Error(String(error))),
        );
        const halt = () => void one.stop();
        stop.addEventListener("abort", halt, { once: true });
        await ended;
        stop.removeEventListener("abort", halt);
        if (stop.aborted) return;
        if (performance.now() - began >= settled) delay = minDelay;
        onExit?.(await ended, delay);
        await sleep(delay, stop);
        delay = Math.min(maxDelay, delay * 2);
      }
    },
  };
}
