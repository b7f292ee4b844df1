import type { HmRequest } from "../../bus/messages/health.ts";
import type { DeaFound } from "../../bus/messages/instance.ts";
import type { App, Process } from "../records.ts";
import { bySeniority } from "./plan.ts";

/** Unix seconds by which health manager and controller agree on which state of a process they speak of. */
export const revisionOf = (process: Pick<Process, "updated_at">): number =>
  Math.floor(Date.parse(process.updated_at) / 1000);

/** The slots of a START that are still to be started: none when the request rests on an older state. */
export function slotsToStart(request: HmRequest, process: Process | undefined, app: App | undefined): number[] {
  if (!process || app?.state !== "STARTED") return [];
  if (request.version !== process.version || request.last_updated !== revisionOf(process)) return [];
  return (request.indices ?? []).filter((index) => index < process.instances);
}

/**
 * Which of the instances of a STOP really are too many: of a stopped app, of another version, beyond the wanted number;
 * or one of several in a slot, if the request rests on the present state. The last one of a slot is never stopped.
 */
export function instancesToStop(
  request: Pick<HmRequest, "instances" | "last_updated">,
  { process, app, found }: { process: Process; app: App | undefined; found: readonly DeaFound[] },
): DeaFound[] {
  const asked = new Set(request.instances);
  const extra = (one: DeaFound) =>
    app?.state !== "STARTED" || one.version !== process.version || one.index >= process.instances;
  const wrong = found.filter((one) => asked.has(one.instance) && extra(one));
  if (request.last_updated !== revisionOf(process)) return wrong;
  const slots = Map.groupBy(found.filter((one) => !extra(one)).sort(bySeniority), (one) => one.index);
  const doubles = [...slots.values()].flatMap((slot) => {
    const stoppable = slot.filter((one) => asked.has(one.instance));
    return stoppable.length < slot.length ? stoppable : stoppable.slice(1);
  });
  return [...wrong, ...doubles];
}
