import type { Doom, Instance } from "./instance.ts";

const in_ = (instance: Instance, states: readonly Instance["state"][]) => states.includes(instance.state);

/** Does it hold memory, disk and a place? */
export const holds = (one: Instance) => in_(one, ["BORN", "STARTING", "RESUMING", "RUNNING", "EVACUATING", "STOPPING"]);

/** Is it told in heartbeats? */
export const beats = (one: Instance) => in_(one, ["STARTING", "RUNNING", "EVACUATING", "CRASHED"]);

/** Do requests belong to it? */
export const serves = (one: Instance) =>
  in_(one, ["RUNNING", "EVACUATING"]) && one.port !== undefined && one.uris.length > 0;

/** It listens. An instance on its way out stays on its way out. */
export function ready(one: Instance, now: number): Instance {
  return one.state === "STARTING" && !one.doom ? { ...one, state: "RUNNING", since: now } : one;
}

/**
 * It is to end, and why. A wish of the outside leaves the routes at once (STOPPING); a verdict of ours stays in its
 * state until the process is gone. A wish replaces a verdict: who asked for the end shall not read of a crash.
 */
export function doomed(one: Instance, doom: Doom, now: number): Instance {
  if (!holds(one) || one.state === "STOPPING") return one;
  if (doom.reason === "CRASHED") return one.doom ? one : { ...one, doom };
  return { ...one, doom, state: "STOPPING", since: now };
}

export interface End {
  status: number;
  description: string;
  now: number;
}

/** It has ended: unasked is a crash, whatever the status was. */
export function ended(one: Instance, { status, description, now }: End): Instance {
  if (!holds(one)) return one;
  const reason = one.doom?.reason ?? "CRASHED";
  const told = one.exit?.told ?? false;
  const exit = { reason, status, description, told, at: now };
  return { ...one, state: reason === "CRASHED" ? "CRASHED" : "STOPPED", since: now, exit };
}
