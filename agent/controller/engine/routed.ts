/** Which of the new instances traffic may rely on. A DEA tells the routers of an instance as soon as it is RUNNING. */
export interface Routed {
  /** Whether an instance that runs at `now` (ms) has done so long enough for the routers to have it. */
  isRouted(instance: string, now: number): boolean;
  /** Milliseconds until the next one is routed; undefined when there is none to wait for. */
  wait(now: number): number | undefined;
}

/** Milliseconds that routers get to take a new instance in. */
const reach = (beat: number) => Math.max(75, beat / 10);

export function routed(beat: number): Routed {
  const seen = new Map<string, number>();
  return {
    isRouted(instance, now) {
      const first = seen.get(instance) ?? now;
      seen.set(instance, first);
      return now - first >= reach(beat);
    },
    wait(now) {
      const waits = [...seen.values()].map((first) => first + reach(beat) - now).filter((wait) => wait > 0);
      return waits.length > 0 ? Math.min(...waits) : undefined;
    },
  };
}
