import type { DropletExited } from "../bus/messages/instance.ts";
import type { Instance, Slot } from "./actual.ts";
import type { Stop } from "./decisions.ts";
import type { Desired, Wanted } from "./wanted.ts";

/** A line for the people of an app, to be put into its log. */
export interface Notice {
  /** The app's guid. */
  readonly app: string;
  readonly index: number;
  readonly text: string;
}

/** What a crash means for the slot: how often, why, and when it is tried again. */
export function crashed(desired: Desired, slot: Slot, what: { message: DropletExited; now: number }): Notice[] {
  const { app, instances, state } = desired;
  if (slot.index >= instances || state !== "STARTED") return [];
  const { exit_description, exit_status } = what.message;
  const how = exit_description || (exit_status >= 0 ? `exit status ${exit_status}` : "");
  const times = slot.crashes === 1 ? "" : ` ${slot.crashes} times`;
  const text = `instance ${slot.index} crashed${times}${how ? ` (${how})` : ""}, ${next(slot.due - what.now)}`;
  return [{ app, index: slot.index, text }];
}

function next(delay: number): string {
  if (delay === Number.POSITIVE_INFINITY) return "it is given up: push or restart the app to try again";
  return delay > 0 ? `next start in ${Math.max(1, Math.round(delay / 1000))} s` : "starting it again";
}

export function lost(instances: readonly Instance[], wanted: Wanted): Notice[] {
  return instances.flatMap(({ droplet, version, index, dea }) => {
    const desired = wanted.get(droplet);
    if (desired?.version !== version || index >= desired.instances || desired.state !== "STARTED") return [];
    return [{ app: desired.app, index, text: `instance ${index} is not heard of any more (DEA ${dea})` }];
  });
}

export function stopping(stop: Stop, wanted: Wanted): Notice[] {
  const desired = wanted.get(stop.droplet);
  if (!desired) return [];
  const many = stop.instances.length === 1 ? "1 instance" : `${stop.instances.length} instances`;
  return [{ app: desired.app, index: 0, text: `stopping ${many}: ${stop.reason}` }];
}
