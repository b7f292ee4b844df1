import { at } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import { type Cell, list, room } from "./cell.ts";
import type { Instance } from "./instance.ts";
import type { Line } from "./instanceLogs.ts";
import { batches } from "./logLines.ts";
import { advert, heartbeat } from "./payloads.ts";

export function beatHeart(cell: Cell): void {
  if (cell.silent || !cell.bus.connected) return;
  cell.bus.publish(subjects.deaHeartbeat, heartbeat(cell.self, list(cell)));
}

export function advertise(cell: Cell): void {
  if (cell.silent || cell.leaving || !cell.bus.connected) return;
  cell.bus.publish(subjects.deaAdvertise, advert(cell.self, list(cell), room(cell)));
}

export function publishLines(cell: Cell, one: Instance, { source, lines }: { source: string; lines: readonly Line[] }) {
  const subject = at(subjects.log, { app: one.app.replace(/[^\w-]/g, "_") });
  for (const group of batches(lines))
    cell.bus.publish(subject, { app: one.app, source, instance: String(one.index), lines: group });
}

/** A line in the app's log about what the DEA does with an instance. */
export function say(cell: Cell, one: Instance, text: string): void {
  const { id: instance, droplet, index } = one;
  cell.log.info({ instance, droplet, index }, text);
  if (cell.bus.connected) publishLines(cell, one, { source: "CELL", lines: [{ at: Date.now(), text }] });
}
