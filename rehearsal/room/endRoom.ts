import { sleep } from "../../agent/run/sleep.ts";
import { gone, signal } from "./ending.ts";
import { allRecords, lives } from "./records.ts";
import { type Tidied, tidyRoom } from "./tidy.ts";

/** Ends a room that stayed, politely for `grace` ms, and removes what it leaves; undefined when there is none. */
export async function endRoom(id: string, grace = 30_000): Promise<Tidied | undefined> {
  const record = allRecords().find((each) => each.id === id);
  if (!record) return undefined;
  if (await lives(record)) await end(record.pid, grace);
  return await tidyRoom(id);
}

async function end(pid: number | undefined, grace: number): Promise<void> {
  signal(pid, "SIGTERM");
  if (await gone(pid, grace)) return;
  signal(pid, "SIGKILL");
  await gone(pid);
  // What it was the parent of is gone a moment later.
  await sleep(50);
}
