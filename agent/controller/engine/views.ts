import type { DeaFound } from "../../bus/messages/instance.ts";
import type { InstanceView } from "../engine.ts";
import type { Process } from "../records.ts";
import { describe } from "./exits.ts";
import { bySeniority } from "./plan.ts";
import type { Note } from "./slots.ts";

/** What is known of a process: living and crashed instances of its version, flapping slots, notes on the rest. */
export interface Picture {
  process: Process;
  alive: readonly DeaFound[];
  crashed: readonly DeaFound[];
  flapping: readonly { index: number; since: number }[];
  note: (index: number) => Note | undefined;
  /** Unix seconds. */
  now: number;
}

/** One view for each wanted slot. */
export function views(picture: Picture): InstanceView[] {
  const { process, alive } = picture;
  const slots = new Map<number, DeaFound>();
  for (const one of [...alive].sort(bySeniority)) if (!slots.has(one.index)) slots.set(one.index, one);
  return Array.from({ length: process.instances }, (_, index) => {
    const one = slots.get(index);
    return one ? living(one, picture) : missing(index, picture);
  });
}

/** What a client may read of a slot that lives. */
function living(one: DeaFound, { process, now }: Picture): InstanceView {
  const { stats } = one;
  return {
    index: one.index,
    state: one.state === "RUNNING" || one.state === "EVACUATING" ? "RUNNING" : "STARTING",
    instance: one.instance,
    host: stats?.host,
    port: stats?.port,
    uptime: Math.floor(stats?.uptime ?? Math.max(0, now - one.state_timestamp)),
    since: one.state_timestamp,
    usage: stats?.usage && usageOf(stats.usage),
    mem_quota: stats?.mem_quota || process.memory_in_mb * 1024 * 1024,
    disk_quota: stats?.disk_quota || process.disk_in_mb * 1024 * 1024,
    fds_quota: stats?.fds_quota,
  };
}

/** The bus speaks percent and KiB as in 2012, the API fractions and bytes. */
function usageOf(usage: { time: string; cpu: number; mem: number; mem_bytes?: number | undefined; disk: number }) {
  return { time: usage.time, cpu: usage.cpu / 100, mem: usage.mem_bytes ?? usage.mem * 1024, disk: usage.disk };
}

function missing(index: number, { crashed, flapping, note, now }: Picture): InstanceView {
  const newest = crashed.filter((one) => one.index === index).sort((a, b) => b.state_timestamp - a.state_timestamp)[0];
  const known = note(index);
  const flaps = flapping.find((one) => one.index === index);
  const details = known?.details ?? (newest && describeFound(newest));
  const since = flaps?.since ?? newest?.state_timestamp ?? (known ? Math.floor(known.at / 1000) : now);
  const state = flaps || newest || known?.crashed ? "CRASHED" : "DOWN";
  return { index, state, instance: newest?.instance ?? known?.instance, uptime: 0, since, details };
}

const describeFound = ({ exit_status = -1, exit_description = "" }: DeaFound) =>
  describe({ exit_status, exit_description });
