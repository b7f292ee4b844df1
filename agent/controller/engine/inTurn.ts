/**
 * Work that runs one at a time for each key. A call that finds another still waiting shares it: what waits reads the
 * present state when its turn comes, so it does what both wanted.
 */
export function inTurn(): (key: string, work: () => Promise<void>) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, Promise<void>>();
  return (key, work) => {
    const queued = waiting.get(key);
    if (queued) return queued;
    const before = running.get(key) ?? Promise.resolve();
    const mine: Promise<void> = before
      .catch(() => {})
      .then(() => {
        waiting.delete(key);
        running.set(key, mine);
        return work();
      })
      .finally(() => running.get(key) === mine && running.delete(key));
    waiting.set(key, mine);
    return mine;
  };
}
