import { setTimeout as sleep } from "node:timers/promises";

const throttled = new Set([
  "RequestLimitExceeded",
  "Throttling",
  "ThrottlingException",
  "SlowDown",
  "TooManyRequestsException",
]);
const passing = new Set([
  "InternalError",
  "InternalFailure",
  "InternalServerError",
  "ServiceUnavailable",
  "Unavailable",
]);
const lost = new Set(["ECONNRESET", "ECONNREFUSED", "EPIPE", "ETIMEDOUT", "TimeoutError"]);
/** The thing still hangs on another one that is going: it takes a moment. */
const hanging = new Set(["DependencyViolation", "DeleteConflict", "InvalidIPAddress.InUse", "BucketNotEmpty"]);

/** The API's own word for what went wrong. */
export function codeOf(error: unknown): string {
  const { name, code, Code } = error as { name?: string; code?: string; Code?: string };
  return Code ?? (name && name !== "Error" ? name : (code ?? ""));
}

export function isThrottled(error: unknown): boolean {
  return throttled.has(codeOf(error));
}

/** True for what is likely to go well in a moment, though nobody knows whether it was done. */
export function isPassing(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode ?? 0;
  const code = (error as { code?: string }).code ?? "";
  // EC2 says "none left" with a 500 as well: asking again in a second brings no more machines.
  if (codeOf(error).startsWith("Insufficient")) return false;
  return passing.has(codeOf(error)) || lost.has(codeOf(error)) || lost.has(code) || status >= 500;
}

export const isHanging = (error: unknown): boolean => hanging.has(codeOf(error));

/** True when the API says that the thing is not there. */
export function isGone(error: unknown): boolean {
  const status = (error as { $metadata?: { httpStatusCode?: number } }).$metadata?.httpStatusCode;
  return /NotFound|NoSuch|NotExist|Malformed$/.test(codeOf(error)) || status === 404;
}

/** What a call resolves to; undefined when the thing is not there. */
export async function orGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

export interface Patience {
  /** True when it is worth another try. */
  readonly again: (error: unknown) => boolean;
  readonly attempts: number;
  /** Milliseconds before the second try; doubles up to five seconds. */
  readonly first?: number;
}

/** Does something until it goes well, it is not worth another try, or patience ends. */
export async function patiently<T>(act: (attempt: number) => Promise<T>, patience: Patience): Promise<T> {
  const { again, attempts, first = 100 } = patience;
  for (let attempt = 1; ; attempt++) {
    try {
      return await act(attempt);
    } catch (error) {
      if (attempt >= attempts || !again(error)) throw error;
      // Half of it by chance: what was refused together must not come again together.
      const longest = Math.min(5000, first * 2 ** (attempt - 1));
      await sleep(longest * (0.5 + Math.random() / 2));
    }
  }
}

/** Asks until there is an answer: four times a second at first, then once a second. */
export async function eventually<T>(ask: () => Promise<T | undefined>, what: string): Promise<T> {
  const deadline = performance.now() + 10 * 60_000;
  for (let pause = 250; performance.now() < deadline; pause = Math.min(1000, pause * 1.5)) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(pause);
  }
  throw new Error(`waited ten minutes in vain until ${what}`);
}
