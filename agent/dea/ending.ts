import { subjects } from "../bus/subjects.ts";
import { advertise, background, beatHeart, boxOf, type Cell, change, list, say } from "./cell.ts";
import { type Ended, statusOf, whyEnded } from "./exits.ts";
import { type Doom, doomed, ended, holds, type Instance, serves } from "./instance.ts";
import { exited, registration } from "./payloads.ts";

/**
 * An instance has ended. What others wait for is said first and in the order they rely on: unregister, exited,
 * advertise. Everything slow comes after.
 */
export function end(cell: Cell, id: string, how: Ended, description?: string): void {
  const before = cell.instances.get(id);
  if (cell.closed || !before || !holds(before)) return;
  const now = Date.now();
  const text = before.doom || !description ? whyEnded(before, how, now) : description;
  cell.live.delete(id);
  cell.aborts.get(id)?.abort();
  cell.aborts.delete(id);
  const after = change(cell, id, (one) => ended(one, { status: statusOf(how), description: text, now }));
  if (!after) return;
  if (after.port !== undefined) releasePort(cell, before, after.port);
  tellExit(cell, after);
  advertise(cell);
  beatHeart(cell);
  background(cell, tidy(cell, after));
}

/** Takes an instance out of the routers, if it is there. */
export function leaveRoutes(cell: Cell, one: Instance): void {
  if (serves(one)) cell.routes.unregister(registration(cell.self, one, one.uris));
}

/** The port rests until the routers have been told, and a while longer. */
function releasePort(cell: Cell, one: Instance, port: number): void {
  cell.ports.release(port, cell.bus.connected);
  // Whatever had a process may be in a router: also one that a killed agent had no time to write down as running.
  const uris = one.identity ? one.uris : [];
  cell.routes.unregister(registration(cell.self, one, uris), () => {
    cell.ports.forgotten(port, Date.now());
    cell.saver.dirty();
  });
}

/** Says once that an instance has ended. While the bus is away it is kept for later. */
export function tellExit(cell: Cell, one: Instance): void {
  if (!one.exit || one.exit.told || !cell.bus.connected || cell.telling.has(one.id)) return;
  cell.telling.add(one.id);
  cell.bus.publish(subjects.dropletExited, exited(one));
  const told = async () => {
    await cell.bus.flush().catch(() => {});
    // A bus that went away meanwhile may have taken the message with it: once too often is better than never.
    const sure = cell.bus.connected && cell.telling.delete(one.id);
    if (sure) change(cell, one.id, (each) => (each.exit ? { ...each, exit: { ...each.exit, told: true } } : each));
    forget(cell, one.id);
  };
  background(cell, told());
}

/** What follows an end: the last of its output, its left-over processes, its files. */
async function tidy(cell: Cell, one: Instance): Promise<void> {
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
function forget(cell: Cell, id: string): void {
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
