import { randomBytes } from "node:crypto";

/** The longest life of a token, in seconds: six hours. */
export const longest = 21_600;

/** Tokens of the metadata service's second version. Each is good for the machine that got it, for as long as it asked. */
export interface Tokens {
  /** `now` in milliseconds, `seconds` to live. */
  issue(host: string, seconds: number, now: number): string;
  good(token: string, host: string, now: number): boolean;
}

export function tokens(): Tokens {
  const issued = new Map<string, { host: string; until: number }>();
  return {
    issue(host, seconds, now) {
      for (const [token, { until }] of issued) if (until <= now) issued.delete(token);
      const token = randomBytes(40).toString("base64");
      issued.set(token, { host, until: now + seconds * 1000 });
      return token;
    },
    good(token, host, now) {
      const found = issued.get(token);
      return found?.host === host && found.until > now;
    },
  };
}
