import { readFileSync } from "node:fs";
import { sleep } from "../../agent/run/sleep.ts";

/** Sends a signal to a process that may not be there any more. */
export function signal(pid: number | undefined, name: NodeJS.Signals | number): void {
  if (!pid) return;
  try {
    process.kill(pid, name);
  } catch {
    // It ended by itself.
  }
}

/** True while the process is there and not only waits to be buried. */
export function isThere(pid: number): boolean {
  try {
    const state = /\) (\S)/.exec(readFileSync(`/proc/${pid}/stat`, "utf8"))?.[1];
    return state !== undefined && state !== "Z" && state !== "X";
  } catch {
    return false;
  }
}

/** Resolves when the process is gone: true, or false after `within` ms. */
export async function gone(pid: number | undefined, within = 10_000): Promise<boolean> {
  const deadline = performance.now() + within;
  while (pid && isThere(pid)) {
    if (performance.now() > deadline) return false;
    await sleep(5);
  }
  return true;
}
