import { type Cell, change } from "./cell.ts";
import { describeSilence } from "./exits.ts";
import { registration } from "./payloads.ts";
import { becomesReady } from "./ready.ts";
import { current } from "./starting.ts";
import { ready, serves } from "./states.ts";
import { stopInstance } from "./stopping.ts";
import { advertise, beatHeart, say } from "./voice.ts";

/** Waits until it listens, then tells everybody; stops it when it doesn't in time. */
export async function untilReady(cell: Cell, id: string): Promise<void> {
  const one = current(cell, id);
  const { type, endpoint, timeout } = one.health;
  const stop = cell.aborts.get(id)?.signal ?? AbortSignal.abort();
  const { port } = one;
  const probe = port === undefined || type === "process" || type === "none" ? undefined : { type, endpoint, port };
  const host = cell.settings.address;
  const good = !probe || (await becomesReady({ ...probe, host }, timeout * cell.settings.beat, stop));
  if (stop.aborted || !cell.live.has(id)) return;
  if (good) return nowRunning(cell, id);
  await giveUp(cell, id, { port: probe.port, timeout });
}

function nowRunning(cell: Cell, id: string): void {
  const one = change(cell, id, (each) => ready(each, Date.now()));
  if (!one) return;
  cell.aborts.delete(id);
  beatHeart(cell);
  if (serves(one)) cell.routes.register(registration(cell.self, one, one.uris));
  const took = ((one.since - one.born) / 1000).toFixed(1);
  // After the registration: who hears of it may rely on the routers' having it in a moment.
  advertise(cell);
  say(cell, one, `Instance ${one.index} is running after ${took} s${one.port ? ` on port ${one.port}` : ""}`);
}

async function giveUp(cell: Cell, id: string, { port, timeout }: { port: number; timeout: number }): Promise<void> {
  const open = (await cell.live.get(id)?.listening()) ?? [];
  const one = cell.instances.get(id);
  const http = one?.health.type === "http" && open.some((each) => each.port === port);
  const description = http
    ? `did not answer GET ${one.health.endpoint} with 200 within ${timeout} s`
    : describeSilence(port, timeout, open);
  stopInstance(cell, id, { doom: { reason: "CRASHED", description } });
}
