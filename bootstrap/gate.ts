/** Lets at most `limit` acts run at a time; the others wait their turn. */
export function gate(limit: number): <T>(act: () => Promise<T>) => Promise<T> {
  const waiting: (() => void)[] = [];
  let running = 0;
  return async (act) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running++;
    try {
      return await act();
    } finally {
      const next = waiting.shift();
      // The place goes to the next one without being free in between.
      if (next) next();
      else running--;
    }
  };
}
