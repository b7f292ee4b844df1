import { subjects } from "../bus/subjects.ts";
import { sleep } from "../run/sleep.ts";
import { type Cell, change, list } from "./cell.ts";
import { tellExit } from "./ending.ts";
import type { Doom } from "./instance.ts";
import { counts, protocolVersion } from "./payloads.ts";
import { holds } from "./states.ts";
import { stopAll, stopInstance } from "./stopping.ts";

/** Beats that an evacuated instance goes on serving while its replacement starts elsewhere. */
const evacuationDelay = 30;

/** Takes no more work and says so. */
export function sayGoodbye(cell: Cell): void {
  cell.leaving = true;
  if (!cell.bus.connected) return;
  const { id, address } = cell.self;
  const message = { id, ip: address, version: protocolVersion, app_id_to_count: counts(list(cell)) };
  cell.bus.publish(subjects.deaShutdown, message);
}

/**
 * Gives the instances away before a node is taken down: tells their end at once, so that others start elsewhere, and
 * lets them serve until then. Heartbeats stop, routes go on. Resolves when the last one has been stopped.
 */
export async function evacuate(cell: Cell): Promise<void> {
  if (cell.silent) return;
  sayGoodbye(cell);
  cell.silent = true;
  const now = Date.now();
  for (const { id } of list(cell).filter(holds)) {
    const exit = {
      reason: "DEA_EVACUATION" as const,
      status: -1,
      description: "the DEA is evacuated",
      told: false,
      at: now,
    };
    const one = change(cell, id, (each) => ({ ...each, exit }));
    if (one) tellExit(cell, one);
  }
  await new Promise((resolve) => setTimeout(resolve, evacuationDelay * cell.settings.beat));
  await stopAll(cell, { reason: "DEA_EVACUATION", description: "the DEA is evacuated" });
}

/** Ends in good order: the instances stay for the next run, or are stopped as the protocol has it. */
export async function leave(cell: Cell): Promise<void> {
  sayGoodbye(cell);
  const doom = { reason: "DEA_SHUTDOWN" as const, description: "the DEA shuts down" };
  if (cell.settings.onStop === "stop") await stopAll(cell, doom);
  else await handOver(cell, doom);
  cell.closed = true;
  for (const one of cell.logs.values()) await one.close();
  cell.saver.dirty();
  await cell.saver.settled();
  cell.driver.close();
  await cell.bus.flush().catch(() => {});
}

/** What runs is left alone. What is still being prepared can't go on without us and ends. */
async function handOver(cell: Cell, doom: Doom): Promise<void> {
  for (const { id } of list(cell).filter(holds)) {
    if (cell.live.has(id)) cell.aborts.get(id)?.abort();
    else stopInstance(cell, id, { doom });
  }
  const ended = new AbortController();
  await Promise.race([Promise.all(cell.work), sleep(5 * cell.settings.beat, ended.signal)]);
  ended.abort();
}
