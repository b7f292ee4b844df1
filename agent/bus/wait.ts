/** Resolves after `ms` milliseconds or when the signal is aborted. */
export function wait(ms: number, stop?: AbortSignal): Promise<void> {
  if (stop?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      stop?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    stop?.addEventListener("abort", done, { once: true });
  });
}

/** Milliseconds before the next attempt: 50 at first, doubling to 1000, with jitter so that a cluster does not come at once. */
export function backoff(attempt: number, random: () => number = Math.random): number {
  return Math.min(1000, 50 * 2 ** Math.min(attempt, 5)) * (0.5 + random() / 2);
}
