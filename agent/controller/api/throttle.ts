/** Failed attempts that cost nothing, so that a typing error does not. */
const free = 5;
const first = 500;
const longest = 30_000;
const remembered = 10_000;

/** Milliseconds to wait after so many failures in a row. */
export function delayAfter(failures: number): number {
  return failures < free ? 0 : Math.min(longest, first * 2 ** (failures - free));
}

export interface Throttle {
  /** Counts an attempt. Milliseconds until one is allowed again; 0: go on. An attempt counts as failed until `passed`. */
  attempt(who: string, now: number): number;
  passed(who: string): void;
}

/** Makes guessing slow: for each name, attempts beyond a few failures have to wait longer and longer. */
export function throttle(): Throttle {
  const names = new Map<string, { failures: number; until: number }>();
  return {
    attempt(who, now) {
      const state = names.get(who) ?? { failures: 0, until: 0 };
      if (now < state.until) return state.until - now;
      const failures = state.failures + 1;
      names.delete(who);
      names.set(who, { failures, until: now + delayAfter(failures) });
      const [oldest] = names.keys();
      if (names.size > remembered && oldest !== undefined) names.delete(oldest);
      return 0;
    },
    passed: (who) => void names.delete(who),
  };
}
