import { bounded } from "./bounded.ts";

/** Failed attempts that cost nothing, so that a typing error does not. */
const free = 5;
const first = 500;
const longest = 30_000;
const remembered = 10_000;

/** Milliseconds to wait after so many failures in a row. */
export function delayAfter(failures: number): number {
  return failures < free ? 0 : Math.min(longest, first * 2 ** (failures - free));
}

/** What became of an attempt; a number: milliseconds until one is allowed again, nothing was looked at. */
export type Attempt = boolean | number;

export interface Throttle {
  /** Checks a secret of somebody, unless too many wrong ones came lately. */
  attempt(who: string, check: () => Promise<boolean>): Promise<Attempt>;
}

interface Suspect {
  failures: number;
  /** Milliseconds. */
  until: number;
  turn: ReturnType<typeof bounded>;
}

/** Makes guessing slow: for each name one attempt at a time, and after a few failures longer and longer pauses. */
export function throttle(now: () => number = Date.now): Throttle {
  const suspects = new Map<string, Suspect>();
  const suspect = (who: string) => {
    const one = suspects.get(who) ?? { failures: 0, until: 0, turn: bounded(1) };
    suspects.delete(who);
    suspects.set(who, one);
    const [oldest] = suspects.keys();
    if (suspects.size > remembered && oldest !== undefined) suspects.delete(oldest);
    return one;
  };
  return {
    async attempt(who, check) {
      const one = suspect(who);
      return await one.turn(async () => {
        if (now() < one.until) return one.until - now();
        const passed = await check();
        one.failures = passed ? 0 : one.failures + 1;
        one.until = now() + delayAfter(one.failures);
        return passed;
      });
    },
  };
}
