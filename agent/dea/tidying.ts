import { boxOf, type Cell, change } from "./cell.ts";
import type { Instance } from "./instance.ts";
import { holds } from "./states.ts";
import { say } from "./voice.ts";

/** What follows an end: the last of its output, its left-over processes, its files. */
export async function tidy(cell: Cell, one: Instance): Promise<void> {
  const box = boxOf(cell, one);
  await cell.driver.sweep(box, one.identity);
  await cell.logs.get(one.id)?.finish();
  cell.logs.delete(one.id);
  cell.usage.delete(one.id);
  const { reason, description } = one.exit ?? { reason: "CRASHED", description: "" };
  const what = reason === "CRASHED" ? "crashed" : "stopped";
  say(cell, one, `Instance ${one.index} ${what}: ${description}`);
  if (!retained(one)) await cell.driver.remove(box);
  change(cell, one.id, (each) => ({ ...each, identity: undefined }));
  forget(cell, one.id);
}

const retained = (one: Instance) => one.state === "CRASHED" && !one.flapping;

/** Drops the record of an instance that nobody needs: told, tidied, not kept. */
export function forget(cell: Cell, id: string): void {
  const one = cell.instances.get(id);
  if (!one?.exit?.told || retained(one) || holds(one) || one.identity || cell.logs.has(id)) return;
  cell.instances.delete(id);
  cell.saver.dirty();
}

/** Removes a crashed instance that was kept. */
export async function discard(cell: Cell, one: Instance): Promise<void> {
  if (one.state !== "CRASHED" || !cell.instances.delete(one.id)) return;
  cell.saver.dirty();
  await cell.driver.remove(boxOf(cell, one));
}
