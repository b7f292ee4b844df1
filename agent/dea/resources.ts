import type { DeaStart } from "../bus/messages/instance.ts";
import type { Instance } from "./instance.ts";
import { holds } from "./states.ts";

/** MiB, MiB, count. */
export interface Capacity {
  memory: number;
  disk: number;
  instances: number;
}

export type Refusal =
  | "no_memory"
  | "no_disk"
  | "no_clients"
  | "fs_full"
  | "bad_message"
  | "shutting_down"
  | "unsupported_runtime";

/** What besides room decides whether an instance may come. */
export interface Gate {
  leaving: boolean;
  /** Used part of the file system, 0..1, and how much is too much. */
  used: number;
  threshold: number;
  runtimes: readonly string[];
  stacks: readonly string[];
}

/**
 * What the instances hold. It is counted from them each time, not kept: so a reservation begins with the record, ends
 * with its state, and can be released twice without harm.
 */
export function reserved(instances: Iterable<Instance>): Capacity {
  const sum = { memory: 0, disk: 0, instances: 0 };
  for (const one of instances) {
    if (!holds(one)) continue;
    sum.memory += one.limits.mem;
    sum.disk += one.limits.disk;
    sum.instances += 1;
  }
  return sum;
}

export function free(capacity: Capacity, instances: Iterable<Instance>): Capacity {
  const held = reserved(instances);
  return {
    memory: Math.max(0, capacity.memory - held.memory),
    disk: Math.max(0, capacity.disk - held.disk),
    instances: Math.max(0, capacity.instances - held.instances),
  };
}

type Wanted = Pick<DeaStart, "limits" | "runtime"> & { stack?: string };

/** Why an instance can't come here; undefined when it can. */
export function refusal(wanted: Wanted, room: Capacity, gate: Gate): Refusal | undefined {
  const known = (list: readonly string[], word: string | undefined) =>
    !word || list.length === 0 || list.includes(word);
  if (gate.leaving) return "shutting_down";
  if (!known(gate.runtimes, wanted.runtime) || !known(gate.stacks, wanted.stack)) return "unsupported_runtime";
  if (room.instances < 1) return "no_clients";
  if (room.memory < wanted.limits.mem) return "no_memory";
  if (room.disk < wanted.limits.disk) return "no_disk";
  if (gate.used > gate.threshold) return "fs_full";
  return undefined;
}

const noControl = (text: string) => !text.includes("\0");

/** What the schema can't see: is this a start that can be carried out? A sentence when it is not. */
export function unusable(start: DeaStart): string | undefined {
  if (!/^[\w-]+$/.test(start.droplet)) return "droplet is no plain name";
  if (!/^[0-9a-f]{40}$/i.test(start.sha1)) return "sha1 is no SHA-1";
  if (!/^https?:$/.test(URL.canParse(start.executableUri) ? new URL(start.executableUri).protocol : ""))
    return "executableUri is no http address";
  const { mem, disk, fds } = start.limits;
  if (![mem, disk, fds].every((limit) => Number.isFinite(limit) && limit > 0)) return "limits are not positive";
  if (![...start.env, start.start_command ?? "", start.name].every(noControl)) return "a zero byte in env or command";
  return undefined;
}

/** Milliseconds to wait before the answer to an auction, so that the emptiest DEA answers first. */
export function taint(here: number, held: number, capacity: number): number {
  return Math.min(250, 10 * here + (100 * held) / Math.max(1, capacity));
}
