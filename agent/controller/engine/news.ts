/** Says inside the controller that something about processes has changed, so that nobody waits for the next beat. */
export interface News {
  /** What runs of these processes may not be what it was. */
  tell(processes: Iterable<string>): void;
  /** Returns the way to stop listening. */
  on(listener: (processes: ReadonlySet<string>) => void): () => void;
}

export function news(): News {
  const listeners = new Set<(processes: ReadonlySet<string>) => void>();
  return {
    tell(processes) {
      const told = new Set(processes);
      if (told.size > 0) for (const listener of [...listeners]) listener(told);
    },
    on(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
}

/** Resolves to `again` with the next news of a process, until it is left. */
export function nextNews({ on }: Pick<News, "on">, process: string): { heard: Promise<"again">; leave: () => void } {
  const { promise: heard, resolve } = Promise.withResolvers<"again">();
  const leave = on((processes) => processes.has(process) && resolve("again"));
  return { heard, leave };
}
