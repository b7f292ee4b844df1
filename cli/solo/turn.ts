import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../fault.ts";
import { alive } from "./agent.ts";

/**
 * Does something while no other process does it under the same file, which holds the pid of who is at it. Rejects when
 * the other has not finished within `patience` milliseconds.
 */
export async function inTurn<T>(file: string, act: () => Promise<T>, patience = 20_000): Promise<T> {
  const deadline = Date.now() + patience;
  while (!take(file)) {
    const holder = holderOf(file);
    // Whoever was killed in the middle holds nothing any more.
    if (holder !== undefined && !alive(holder)) rmSync(file, { force: true });
    else if (Date.now() > deadline) {
      throw new Fault(`another tutti solo up (pid ${holder ?? "?"}) is starting this cluster`, {
        code: "being_started",
        hint: `wait for it, or end it; if there is none, remove ${file}`,
      });
    } else await sleep(50);
  }
  try {
    return await act();
  } finally {
    rmSync(file, { force: true });
  }
}

function take(file: string): boolean {
  try {
    writeFileSync(file, String(process.pid), { flag: "wx", mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/** Undefined when it is gone by now, or not written yet. */
function holderOf(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8")) || undefined;
  } catch {
    return undefined;
  }
}
