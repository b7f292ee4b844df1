import type { Log } from "../run/log.ts";

export interface SparingOptions {
  /** So many lines in so many milliseconds. */
  most: number;
  time: number;
  /** Monotonic milliseconds. */
  now?: () => number;
}

/** Warnings that a stranger can cause at will: the log takes some, and then how many there were. */
export function sparing(
  log: Log,
  { most, time, now = () => performance.now() }: SparingOptions,
): (fields: object, message: string) => void {
  let window = { began: now(), said: 0 };
  return (fields, message) => {
    if (now() - window.began >= time) {
      const kept = Math.max(0, window.said - most);
      if (kept > 0) log.warn({ more: kept }, "and as many warnings of that kind were not written down");
      window = { began: now(), said: 0 };
    }
    if (++window.said <= most) log.warn(fields, message);
  };
}
