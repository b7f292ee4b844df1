import { createServer } from "node:net";
import type { DeaStart } from "../bus/messages/instance.ts";
import { type Cell, change, hex, list, takeSlot } from "./cell.ts";
import { born, type Instance } from "./instance.ts";
import { current } from "./starting.ts";

/** Makes the record of an accepted start: from here on it holds its room. Undefined when no port is left. */
export function reserve(cell: Cell, start: DeaStart): Instance | undefined {
  // A start of the old kind without names gets no port. One that tells how to check its health wants to be reached.
  const wantsPort = start.uris.length > 0 || start.health_check !== undefined;
  const port = wantsPort ? takePort(cell) : undefined;
  if (wantsPort && port === undefined) return undefined;
  const one = born(start, { id: hex(16), privateId: hex(32), slot: takeSlot(cell), port, now: Date.now() });
  cell.instances.set(one.id, one);
  cell.aborts.set(one.id, new AbortController());
  cell.saver.dirty();
  return one;
}

function takePort(cell: Cell): number | undefined {
  const used = list(cell).flatMap((one) => (one.exit || one.port === undefined ? [] : [one.port]));
  return cell.ports.take(new Set(used), Date.now());
}

/** Takes another port when a stranger sits on the reserved one. */
export async function usablePort(cell: Cell, id: string): Promise<void> {
  for (let one = current(cell, id); one.port !== undefined && !(await isFree(one.port)); one = current(cell, id)) {
    cell.log.warn({ port: one.port }, "A port for instances is used by another program and was passed over.");
    const port = takePort(cell);
    if (port === undefined) throw new Error("there is no free port for it");
    change(cell, id, (each) => ({ ...each, port }));
  }
}

function isFree(port: number): Promise<boolean> {
  const probe = createServer();
  return new Promise((resolve) => {
    probe.once("error", () => resolve(false));
    probe.listen(port, () => probe.close(() => resolve(true)));
  });
}
