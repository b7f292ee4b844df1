import { createServer } from "node:net";
import { join } from "node:path";
import type { DeaStart } from "../bus/messages.ts";
import {
  advertise,
  background,
  beatHeart,
  boxOf,
  type Cell,
  change,
  hex,
  list,
  publishLines,
  say,
  takeSlot,
} from "./cell.ts";
import type { Contained } from "./driver.ts";
import { end, stopInstance } from "./ending.ts";
import { environmentOf } from "./environment.ts";
import { describeSilence } from "./exits.ts";
import { born, type Instance, ready, serves } from "./instance.ts";
import { instanceLogs, type Offsets } from "./instanceLogs.ts";
import { registration } from "./payloads.ts";
import { becomesReady } from "./ready.ts";

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
  say(cell, first, `Starting instance ${first.index}`);
  // The download is shared with others: who is stopped leaves it alone and goes.
  const droplet = await Promise.race([cell.droplets.get(start.sha1, start.executableUri), whenAborted(stop)]);
  stop.throwIfAborted();
  await cell.driver.fill(boxOf(cell, first), droplet.path, stop);
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

function current(cell: Cell, id: string): Instance {
  const one = cell.instances.get(id);
  if (!one) throw new Error("the instance is gone");
  return one;
}

/** Takes another port when a stranger sits on the reserved one. */
async function usablePort(cell: Cell, id: string): Promise<void> {
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

/** Begins an accepted start and tells everybody that its room is taken. */
export function begin(cell: Cell, one: Instance, start: DeaStart): void {
  advertise(cell);
  beatHeart(cell);
  background(cell, bring(cell, one.id, start));
}
