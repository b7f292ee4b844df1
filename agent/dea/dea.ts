import { chmod, mkdir, realpath } from "node:fs/promises";
import { group } from "../run/group.ts";
import type { Runner } from "../run/runner.ts";
import { adoptAll, cleanStrays } from "./adopting.ts";
import { assemble } from "./assemble.ts";
import type { Cell } from "./cell.ts";
import { fileServer } from "./files.ts";
import { evacuate, leave } from "./leaving.ts";
import { type DeaOptions, layout, settled } from "./options.ts";
import { lookAtFileSystem } from "./quotas.ts";
import { parts } from "./rhythm.ts";
import { loadSnapshot } from "./snapshot.ts";

/** A DEA. `evacuate` gives its instances away before the node is taken down; it resolves when none is left. */
export interface Dea extends Runner {
  evacuate(): Promise<void>;
}

/**
 * Runs instances of apps on this node: takes starts, keeps their room, starts and watches them, tells the routers and
 * everybody else, and serves their files. Rejects when its file server can't listen.
 */
export function dea(options: DeaOptions): Dea {
  const name = "dea";
  let running: Cell | undefined;
  return {
    name,
    async evacuate() {
      if (running) await evacuate(running);
    },
    async run(stop, ready) {
      // Others than the agent pass through on their way to a directory of their own; they can't list it.
      await mkdir(options.home, { recursive: true, mode: 0o711 });
      await chmod(options.home, 0o711);
      const home = await realpath(options.home);
      const settings = settled({ ...options, home });
      const saved = await loadSnapshot(layout(home).snapshot, options.log);
      const { address, filePort: port, tls, log } = settings;
      let cell: Cell | undefined;
      const find = (staged: string) => directoryOf(cell, staged);
      const files = await fileServer({ address, port, find, tls, log });
      const ending = new AbortController();
      try {
        cell = await assemble(options, settings, { saved, files, stop: ending.signal });
        running = cell;
        await lookAtFileSystem(cell);
        adoptAll(cell, saved);
        await cleanStrays(cell);
        await group(name, parts(cell)).run(stop, ready);
      } finally {
        running = undefined;
        if (cell) await leave(cell);
        ending.abort();
        await files.close();
      }
    },
  };
}

function directoryOf(cell: Cell | undefined, staged: string): string | undefined {
  const there = cell && [...cell.instances.values()].some((one) => one.directory === staged);
  return there ? `${layout(cell.settings.home).instances}/${staged}` : undefined;
}
