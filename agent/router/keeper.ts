import { join } from "node:path";
import type { Log } from "../run/log.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import type { Routes } from "./routes.ts";
import { loadTable, saveTable } from "./snapshot.ts";

export interface KeeperOptions {
  home: string;
  routes: Routes;
  beat: number;
  /** Whether those who speak TLS may be in it. */
  secure: boolean;
  log: Log;
}

/** Keeps the table on disk, so that routes survive the router. */
export interface Keeper {
  /** Loads the table, is ready, writes it soon after each change and once more at the end. */
  readonly runner: Runner;
  /** The table has changed. */
  changed(): void;
}

export function keeper({ home, routes, beat, secure, log }: KeeperOptions): Keeper {
  const path = join(home, "routes.json");
  let dirty = Promise.withResolvers<void>();
  let unsaved = false;
  const save = async () => {
    dirty = Promise.withResolvers();
    unsaved = false;
    await saveTable(path, routes.table).catch((error: unknown) => {
      unsaved = true;
      log.warn({ path, error: String(error) }, "the route table could not be saved; routes still work");
    });
  };
  return {
    changed() {
      unsaved = true;
      dirty.resolve();
    },
    runner: {
      name: "memory of routes",
      async run(stop, ready) {
        const now = Date.now();
        const problem = await loadTable(path, routes.table, { now, secure });
        if (problem) log.warn({ path, problem }, "the saved route table cannot be read; starting with none");
        routes.follow({ touched: new Set(routes.table.routes()), refused: [] }, now);
        ready();
        while (!stop.aborted) {
          await Promise.race([dirty.promise, stopped(stop)]);
          // What changes together is written together; a failed write is tried again later.
          await sleep(2 * beat, stop);
          if (unsaved) await save();
        }
      },
    },
  };
}
