import { join } from "node:path";
import { background, boxOf, type Cell, change } from "./cell.ts";
import type { Contained } from "./driver.ts";
import { end } from "./ending.ts";
import { instanceLogs, type Offsets } from "./instanceLogs.ts";
import { current } from "./starting.ts";
import { publishLines } from "./voice.ts";

/** The instance runs: keeps who it is, follows its logs, and learns of its end at once. */
export function attach(cell: Cell, id: string, running: Contained, offsets?: Offsets): void {
  cell.live.set(id, running);
  change(cell, id, (one) => ({ ...one, identity: running.identity }));
  followLogs(cell, id, offsets);
  running.ended.then((how) => end(cell, id, how));
  // A stop may have come while it was being started.
  if (cell.aborts.get(id)?.signal.aborted) background(cell, running.stop(cell.settings.stopGrace * cell.settings.beat));
}

export function followLogs(cell: Cell, id: string, offsets: Offsets = { stdout: 0, stderr: 0 }): void {
  const one = current(cell, id);
  const source = `APP/PROC/${one.type.toUpperCase()}`;
  cell.logs.set(
    id,
    instanceLogs({
      directory: join(boxOf(cell, one).directory, "logs"),
      offsets,
      cap: cell.settings.logCap,
      listening: () => cell.bus.connected,
      publish: (lines) => publishLines(cell, one, { source, lines }),
      log: cell.log,
    }),
  );
}
