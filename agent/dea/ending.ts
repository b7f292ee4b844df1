import { subjects } from "../bus/subjects.ts";
import { background, type Cell, change } from "./cell.ts";
import { type Ended, statusOf, whyEnded } from "./exits.ts";
import type { Instance } from "./instance.ts";
import { exited, registration } from "./payloads.ts";
import { ended, holds, serves } from "./states.ts";
import { forget, tidy } from "./tidying.ts";
import { advertise, beatHeart } from "./voice.ts";

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
