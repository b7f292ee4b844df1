import { background, type Cell, change, list } from "./cell.ts";
import { end, leaveRoutes } from "./ending.ts";
import type { Doom, Instance } from "./instance.ts";
import { doomed, holds, serves } from "./states.ts";

/** Asks an instance to end for a reason; `kill` does not wait for it to do so by itself. */
export function stopInstance(cell: Cell, id: string, { doom, kill = false }: { doom: Doom; kill?: boolean }): void {
  const before = cell.instances.get(id);
  const after = change(cell, id, (one) => doomed(one, doom, Date.now()));
  if (!before || !after) return;
  const running = cell.live.get(id);
  if (running && kill) running.kill();
  else if (running) background(cell, politely(cell, before, after));
  else if (cell.aborts.has(id)) cell.aborts.get(id)?.abort();
  else end(cell, id, {});
}

async function politely(cell: Cell, before: Instance, after: Instance): Promise<void> {
  const { beat, stopGrace } = cell.settings;
  const running = cell.live.get(after.id);
  if (after.state === "STOPPING") leaveRoutes(cell, before);
  // Requests that are on their way shall still find it: the routers need a moment to hear that it leaves.
  if (after.state === "STOPPING" && serves(before)) await new Promise((resolve) => setTimeout(resolve, beat / 10));
  await running?.stop(stopGrace * beat);
}

/** Stops all; resolves when they have ended. */
export async function stopAll(cell: Cell, doom: Doom): Promise<void> {
  for (const one of list(cell).filter(holds)) stopInstance(cell, one.id, { doom });
  while (list(cell).some(holds) && cell.work.size > 0) await Promise.race(cell.work);
  await Promise.all(cell.work);
}
