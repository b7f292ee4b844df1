import { setTimeout as pause } from "node:timers/promises";

/** Milliseconds until the next look: quick ones first, for what is done at once, then ten a second. */
export function patience(looks: number): number {
  return Math.min(100, 15 * 2 ** looks);
}

/** Looks again and again until there is an answer; undefined when the time (milliseconds) is over. */
export async function poll<T>(look: () => Promise<T | undefined>, limit: number): Promise<T | undefined> {
  const end = performance.now() + limit;
  for (let looks = 0; ; looks++) {
    const found = await look();
    if (found !== undefined) return found;
    if (performance.now() > end) return undefined;
    await pause(patience(looks));
  }
}
