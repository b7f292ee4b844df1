/**
 * Shares the answers to one question for `ttl` milliseconds, counted from when it was asked: many clients that look at
 * one app cost the bus one gather. An answer that failed, or that `keep` says is about to change, is shared only by those
 * who asked before it came.
 */
export function fresh<R>(ttl: number, keep: (answer: R) => boolean = () => true, now: () => number = Date.now) {
  const kept = new Map<string, { at: number; answer: Promise<R> }>();
  return {
    /** What was asked before now is not shared any more. */
    forget(match: (key: string) => boolean) {
      for (const key of kept.keys()) if (match(key)) kept.delete(key);
    },
    get(key: string, ask: () => Promise<R>): Promise<R> {
      const old = kept.get(key);
      if (old && now() - old.at < ttl) return old.answer;
      for (const [stale, { at }] of kept) if (now() - at >= ttl) kept.delete(stale);
      const one = { at: now(), answer: ask() };
      kept.set(key, one);
      const drop = () => kept.get(key) === one && kept.delete(key);
      one.answer.then((answer) => keep(answer) || drop(), drop);
      return one.answer;
    },
  };
}
