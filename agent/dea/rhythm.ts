import { presence } from "../bus/presence.ts";
import { every } from "../run/every.ts";
import type { Runner } from "../run/runner.ts";
import { sleep } from "../run/sleep.ts";
import { registerAll } from "./adopting.ts";
import type { Cell } from "./cell.ts";
import { ears } from "./ears.ts";
import { quotaWatch, reap } from "./quotas.ts";
import { varz } from "./varz.ts";
import { advertise, beatHeart } from "./voice.ts";

export function parts(cell: Cell): Runner[] {
  const { bus, self, log, settings } = cell;
  const { index, address, beat, tls, statusPorts } = settings;
  const repeat = (name: string, beats: number, turn: () => unknown) => {
    const onError = (error: unknown) => log.error({ error: String(error) }, `${name} failed.`);
    return every(name, { interval: beats * beat, onError }, turn);
  };
  return [
    presence({ bus, type: "DEA", index, uuid: self.id, address, tls, statusPorts, varz: () => varz(cell), log }),
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
