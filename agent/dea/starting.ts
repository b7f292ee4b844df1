import type { DeaStart } from "../bus/messages/instance.ts";
import { attach } from "./attaching.ts";
import { background, boxOf, type Cell } from "./cell.ts";
import { end } from "./ending.ts";
import { environmentOf } from "./environment.ts";
import type { Instance } from "./instance.ts";
import { untilReady } from "./readying.ts";
import { usablePort } from "./reserving.ts";
import { advertise, beatHeart, say } from "./voice.ts";

/** From the accepted start to RUNNING, or to a crash that says what was wrong. */
export async function bring(cell: Cell, id: string, start: DeaStart): Promise<void> {
  try {
    await prepareAndStart(cell, id, start);
  } catch (error) {
    end(cell, id, {}, error instanceof Error ? error.message : String(error));
  }
}

async function prepareAndStart(cell: Cell, id: string, start: DeaStart): Promise<void> {
  const stop = cell.aborts.get(id)?.signal ?? AbortSignal.abort();
  const first = current(cell, id);
  const began = performance.now();
  say(cell, first, `Starting instance ${first.index}`);
  // The download is shared with others: who is stopped leaves it alone and goes.
  const droplet = await Promise.race([cell.droplets.get(start.sha1, start.executableUri), whenAborted(stop)]);
  stop.throwIfAborted();
  await cell.driver.fill(boxOf(cell, first), droplet.path, stop);
  say(cell, first, `Droplet deployed in ${((performance.now() - began) / 1000).toFixed(2)} s`);
  await usablePort(cell, id);
  stop.throwIfAborted();
  const one = current(cell, id);
  const box = boxOf(cell, one);
  const { address, path } = cell.settings;
  const env = environmentOf(start, one, { home: box.directory, address, path, user: "vcap" });
  attach(cell, id, await cell.driver.start(box, { command: start.start_command, port: one.port, env }));
  await untilReady(cell, id);
}

function whenAborted(stop: AbortSignal): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>();
  promise.catch(() => {});
  stop.addEventListener("abort", () => reject(stop.reason), { once: true });
  return promise;
}

export function current(cell: Cell, id: string): Instance {
  const one = cell.instances.get(id);
  if (!one) throw new Error("the instance is gone");
  return one;
}

/** Begins an accepted start and tells everybody that its room is taken. */
export function begin(cell: Cell, one: Instance, start: DeaStart): void {
  advertise(cell);
  beatHeart(cell);
  background(cell, bring(cell, one.id, start));
}
