import { chmod, mkdir, realpath } from "node:fs/promises";
import { presence } from "../bus/presence.ts";
import { subjects } from "../bus/subjects.ts";
import { every } from "../run/every.ts";
import { group } from "../run/group.ts";
import { type Runner, stopped } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { adoptAll, cleanStrays, registerAll, resay, sayAdopted } from "./adopting.ts";
import { listenToAll } from "./answers.ts";
import { assemble } from "./assemble.ts";
import { advertise, beatHeart, type Cell } from "./cell.ts";
import { fileServer } from "./files.ts";
import { evacuate, leave } from "./leaving.ts";
import { type DeaOptions, layout, settled } from "./options.ts";
import { hello } from "./payloads.ts";
import { lookAtFileSystem, quotaWatch, reap } from "./quotas.ts";
import { loadSnapshot } from "./snapshot.ts";
import { varz } from "./varz.ts";

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
      const { address, filePort: port, log } = settings;
      let cell: Cell | undefined;
      const find = (staged: string) => directoryOf(cell, staged);
      const files = await fileServer({ address, port, find, log });
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

function parts(cell: Cell): Runner[] {
  const { bus, self, log, settings } = cell;
  const { index, address, beat } = settings;
  const repeat = (name: string, beats: number, turn: () => unknown) => {
    const onError = (error: unknown) => log.error({ error: String(error) }, `${name} failed.`);
    return every(name, { interval: beats * beat, onError }, turn);
  };
  return [
    presence({ bus, type: "DEA", index, uuid: self.id, address, varz: () => varz(cell), log }),
    ears(cell),
    repeat("heartbeat", 1, () => beatHeart(cell)),
    repeat("advertisement", 5, () => advertise(cell)),
    repeat("farewells", 0.5, () => cell.routes.tick(performance.now())),
    repeat("quotas", 2, quotaWatch(cell)),
    repeat("crash reaper", 30, () => reap(cell)),
    repeat("log offsets", 1, offsetKeeper(cell)),
    registering(cell),
  ];
}

/** Hears and answers, says hello, and says everything again when the bus comes back. */
function ears(cell: Cell): Runner {
  const { bus, self } = cell;
  return {
    name: "ears",
    async run(stop, ready) {
      const heard = listenToAll(cell);
      const unwatch = bus.onConnection((connected) => {
        if (!connected) return;
        resay(cell);
        beatHeart(cell);
        advertise(cell);
        greet(cell);
      });
      cell.silent = false;
      bus.publish(subjects.deaStart, hello(self));
      sayAdopted(cell);
      greet(cell);
      ready();
      await stopped(stop);
      unwatch();
      for (const one of heard) one.stop();
    },
  };
}

function greet(cell: Cell): void {
  const asked = cell.bus.request(subjects.routerGreet, {}, { timeout: 2 * cell.settings.beat });
  asked.then((start) => start && cell.routes.heard(start)).catch(() => {});
}

/** Registers everything again and again, as often as the routers wish. */
function registering(cell: Cell): Runner {
  return {
    name: "registering",
    async run(stop, ready) {
      ready();
      while (!stop.aborted) {
        registerAll(cell);
        await sleep(cell.routes.interval * cell.settings.beat, stop);
      }
    },
  };
}

/** Logs move without any record changing: writes the snapshot when they have. */
function offsetKeeper(cell: Cell): () => void {
  let last = "";
  return () => {
    const now = [...cell.logs].map(([id, { offsets }]) => `${id}:${offsets.stdout}:${offsets.stderr}`).join();
    if (now !== last) cell.saver.dirty();
    last = now;
  };
}
