/**
 * The one shape of everything that lives.
 *
 * A runner
 * - runs until `stop` is aborted, then ends in good order and resolves;
 * - calls `ready` once, when it does its work (a listener accepts, a subscription stands);
 * - rejects with the reason when it cannot go on;
 * - may be run again after it ended;
 * - never exits the process and never prints.
 */
export interface Runner {
  readonly name: string;
  run(stop: AbortSignal, ready: () => void): Promise<void>;
}

/** A runner that has been started. `ready` and `exited` are two promises: an early death must not look like readiness. */
export interface Running {
  readonly name: string;
  /** Resolves when the runner is ready; rejects when it ends before that. */
  readonly ready: Promise<void>;
  /** Settles when the runner has ended. */
  readonly exited: Promise<void>;
  /** Asks the runner to stop and resolves when it has ended, whatever the outcome. Safe to call twice. */
  stop(): Promise<void>;
}

/** Starts a runner. The caller watches `exited`; `ready` may be left unobserved. */
export function start(runner: Runner): Running {
  const controller = new AbortController();
  const { promise: ready, resolve, reject } = Promise.withResolvers<void>();
  ready.catch(() => {});
  const exited = Promise.resolve().then(() => runner.run(controller.signal, resolve));
  exited.then(
    () => reject(new Error(`${runner.name} ended before it was ready`)),
    (cause) => reject(cause),
  );
  exited.catch(() => {});
  const stop = async () => {
    controller.abort();
    await exited.catch(() => {});
  };
  return { name: runner.name, ready, exited, stop };
}

/** Resolves when the signal is aborted: the last line of a runner that only waits. */
export function stopped(stop: AbortSignal): Promise<void> {
  if (stop.aborted) return Promise.resolve();
  return new Promise((resolve) => stop.addEventListener("abort", () => resolve(), { once: true }));
}
