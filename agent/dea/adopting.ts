import { join } from "node:path";
import { attach, followLogs } from "./attaching.ts";
import { background, boxOf, type Cell, list } from "./cell.ts";
import { end, tellExit } from "./ending.ts";
import { keepEvidence } from "./evidence.ts";
import type { Instance } from "./instance.ts";
import { layout } from "./options.ts";
import { registration } from "./payloads.ts";
import { killAll } from "./processes.ts";
import { processOf } from "./procfs.ts";
import { untilReady } from "./readying.ts";
import type { Snapshot } from "./snapshot.ts";
import { holds, serves } from "./states.ts";
import { say } from "./voice.ts";

/** Takes the instances of the last run over: the same ids, the same processes. Those that ended meanwhile crashed. */
export function adoptAll(cell: Cell, saved: Snapshot | undefined): void {
  for (const one of saved?.instances ?? []) cell.instances.set(one.id, one);
  for (const one of list(cell)) {
    if (holds(one)) adopt(cell, one, saved?.offsets[one.id]);
    else tellExit(cell, one);
  }
}

function adopt(cell: Cell, one: Instance, offsets: Snapshot["offsets"][string] | undefined): void {
  const running = one.identity && cell.driver.adopt(boxOf(cell, one), one.identity);
  if (!running) {
    missed(cell, one, offsets);
    return;
  }
  if (one.state === "STARTING") cell.aborts.set(one.id, new AbortController());
  attach(cell, one.id, running, offsets);
  if (serves(one)) cell.routes.register(registration(cell.self, one, one.uris));
  if (one.doom) background(cell, running.stop(cell.settings.stopGrace * cell.settings.beat));
  else if (one.state === "STARTING") background(cell, untilReady(cell, one.id));
}

function missed(cell: Cell, one: Instance, offsets: Snapshot["offsets"][string] | undefined): void {
  if (one.identity) followLogs(cell, one.id, offsets);
  const text = one.identity
    ? "ended while the agent was away; its exit status is unknown"
    : "the agent was restarted before it had started";
  end(cell, one.id, {}, text);
}

/** Ends and removes what looks like ours but is in no record, after its logs have been put aside. */
export async function cleanStrays(cell: Cell): Promise<void> {
  const { instances, evidence } = layout(cell.settings.home);
  for (const { directory, pids } of await cell.driver.strays(list(cell).map((one) => boxOf(cell, one)))) {
    cell.log.warn({ directory, pids }, "Something that looks like an instance is in no record and is removed.");
    await killAll(async () => pids.flatMap((pid) => processOf(pid) ?? []));
    if (directory === undefined) continue;
    const stray = join(instances, directory);
    await keepEvidence(evidence, stray, { directory, found: new Date().toISOString(), why: "in no record of the DEA" });
    await cell.driver.remove({ id: "", slot: 0, directory: stray, limits: { mem: 0, disk: 0, fds: 0 } });
  }
}

/** Tells the routers and everybody else what is here, after the bus has been away. */
export function resay(cell: Cell): void {
  cell.telling.clear();
  cell.routes.back(performance.now());
  for (const one of list(cell)) tellExit(cell, one);
  registerAll(cell);
  for (const one of cell.logs.values()) one.wake();
}

export function registerAll(cell: Cell): void {
  for (const one of list(cell).filter(serves)) cell.routes.register(registration(cell.self, one, one.uris));
}

export const sayAdopted = (cell: Cell) => {
  for (const one of list(cell).filter(holds))
    say(cell, one, `Instance ${one.index} goes on: the agent was restarted and has taken it over`);
};
