import type { Subscription } from "../../bus/bus.ts";
import type { HmRequest } from "../../bus/messages/health.ts";
import { subjects } from "../../bus/subjects.ts";
import type { Process } from "../records.ts";
import type { Convergence, ConvergenceOptions } from "./converge.ts";
import { instancesToStop, slotsToStart } from "./judge.ts";

export interface RequestOptions extends ConvergenceOptions {
  convergence: Convergence;
}

/** Does what a health manager asks for, after looking again: it may have seen less than what is known here. */
export function hmRequests(options: RequestOptions): Subscription {
  const { bus } = options;
  const obey = (request: HmRequest) => {
    if (request.op === "START") return startMissing(options, request);
    if (request.op === "STOP") return stopExtra(options, request);
    return spinDown(options, request);
  };
  const heard = [bus.subscribe(subjects.hmRequests, obey), bus.subscribe(subjects.hmRequestsPartition, obey)];
  return { stop: () => heard.map((one) => one.stop()) };
}

async function startMissing(options: RequestOptions, request: HmRequest): Promise<void> {
  const { tables, convergence, log } = options;
  const process = tables.processes.get(request.droplet);
  const wanted = slotsToStart(request, process, process && tables.apps.get(process.app));
  if (!process || wanted.length === 0) {
    log.info({ droplet: request.droplet, indices: request.indices }, "a start was asked for that is no longer right");
    return;
  }
  await convergence.start(process, await notRunning(options, process, wanted), request.flapping);
}

/** Leaves out the slots that run after all. The DEAs are asked only when there is a doubt: a crash is to heal at once. */
async function notRunning({ finder, slots, beat }: RequestOptions, process: Process, indices: number[]) {
  const ended = (index: number) => slots.endedSince(process.guid, index, Date.now() - 3 * beat);
  if (indices.every(ended)) return indices;
  const found = await finder.alive(process.guid, { version: process.version });
  const running = new Set(found.filter((one) => one.state !== "EVACUATING").map((one) => one.index));
  return indices.filter((index) => !running.has(index));
}

async function stopExtra(options: RequestOptions, request: HmRequest): Promise<void> {
  const { tables, convergence, finder, log } = options;
  const process = tables.processes.get(request.droplet);
  if (!process) return convergence.stop(request.droplet);
  if (!request.instances?.length) return;
  const found = await finder.alive(process.guid);
  const app = tables.apps.get(process.app);
  const stop = instancesToStop(request, { process, app, found });
  convergence.stopInstances(process.guid, stop);
  if (stop.length < request.instances.length)
    log.info(
      { droplet: process.guid, asked: request.instances.length, stopped: stop.length },
      "a stop was asked for that is not right for all instances",
    );
}

async function spinDown({ tables, convergence }: RequestOptions, { droplet }: HmRequest): Promise<void> {
  const process = tables.processes.get(droplet);
  if (!process) return convergence.stop(droplet);
  await tables.apps.update(process.app, (app) => (app.state === "STOPPED" ? undefined : { ...app, state: "STOPPED" }));
  const all = tables.processes.all().filter((one) => one.app === process.app);
  await Promise.all(all.map((one) => convergence.converge(one.guid)));
}
