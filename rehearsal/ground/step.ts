import type { SeenInstance } from "./seen.ts";

/** What the API says a machine should be. */
export type Wanted = "on" | "off" | "gone";
/** What it is, between two steps. */
export type Have = "nothing" | "on" | "off";
export type Step = "boot" | "shutdown" | "reboot" | "remove";

/** undefined is an instance that the API does not list any more. */
export function wantedOf(instance: Pick<SeenInstance, "State"> | undefined): Wanted {
  const name = instance?.State?.Name;
  if (name === "running" || name === "pending") return "on";
  return name === "stopping" || name === "stopped" ? "off" : "gone";
}

/**
 * The trace that the last reboot left; "" for none. A transition of another kind wipes it out.
 */
export function rebootOf({ StateTransitionReason = "" }: Pick<SeenInstance, "StateTransitionReason">): string {
  return StateTransitionReason.includes("reboot") ? StateTransitionReason : "";
}

export interface Standing {
  readonly wanted: Wanted;
  readonly have: Have;
  /** Trace of the last reboot that was asked for. */
  readonly asked: string;
  /** Trace of the last one that the machine has behind it: that was asked for before it booted last. */
  readonly done: string;
}

/** The next thing to do to a machine; undefined when all is as it should be. */
export function nextStep({ wanted, have, asked, done }: Standing): Step | undefined {
  if (wanted === "gone") return have === "nothing" ? undefined : "remove";
  if (wanted === "off") return have === "on" ? "shutdown" : undefined;
  if (have !== "on") return "boot";
  return asked !== "" && asked !== done ? "reboot" : undefined;
}
