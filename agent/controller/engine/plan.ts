import type { DeaFound } from "../../bus/messages/instance.ts";
import type { Process } from "../records.ts";

/** What must happen so that exactly the wanted slots run the current version. */
export interface Plan {
  start: number[];
  /** Instances of another version or of slots beyond the wanted number, and second ones of a slot. */
  stop: DeaFound[];
}

/** Compares what a process wants with what was found. A slot held twice keeps the one that serves longest. */
export function plan({ version, instances }: Pick<Process, "version" | "instances">, found: readonly DeaFound[]): Plan {
  const kept = new Map<number, DeaFound>();
  const stop: DeaFound[] = [];
  for (const one of [...found].sort(bySeniority)) {
    // It serves while its replacement starts, and ends by itself.
    if (one.state === "EVACUATING") continue;
    if (one.version !== version || one.index >= instances || kept.has(one.index)) stop.push(one);
    else kept.set(one.index, one);
  }
  const slots = Array.from({ length: instances }, (_, index) => index);
  return { start: slots.filter((index) => !kept.has(index)), stop };
}

/** Running ones first, then the oldest; the id decides between twins, so that two observers agree. */
export function bySeniority(one: DeaFound, other: DeaFound): number {
  const rank = (of: DeaFound) => (of.state === "RUNNING" ? 0 : 1);
  const older = rank(one) - rank(other) || one.state_timestamp - other.state_timestamp;
  return older || (one.instance < other.instance ? -1 : 1);
}
