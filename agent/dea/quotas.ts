import { statfs } from "node:fs/promises";
import { boxOf, type Cell, list } from "./cell.ts";
import { overQuota } from "./exits.ts";
import type { Instance } from "./instance.ts";
import { outlived } from "./retention.ts";
import { holds } from "./states.ts";
import { stopInstance } from "./stopping.ts";
import { discard } from "./tidying.ts";

/** When and what was last found on disk. `free` bytes of the file system at that time. */
export interface DiskLook {
  at: number;
  bytes: number;
  free: number;
}

/**
 * Must an instance's files be counted again? Counting walks all of them, so it waits until the file system has lost
 * half of what the instance may still take: before that it can't be over its quota. And now and then anyway, because
 * others may have freed what it took.
 */
export function lookDue(last: DiskLook | undefined, now: DiskLook, rules: { quota: number; atLeast: number }): boolean {
  if (!last || now.at - last.at >= rules.atLeast) return true;
  return last.free - now.free >= Math.max(2 ** 20, (rules.quota - last.bytes) / 2);
}

/** Percent of one core between two samples of used seconds. */
export function cpuPercent(before: { cpu: number; at: number } | undefined, now: { cpu: number; at: number }): number {
  if (!before || now.at <= before.at) return 0;
  return Math.max(0, (100 * 1000 * (now.cpu - before.cpu)) / (now.at - before.at));
}

export async function lookAtFileSystem(cell: Cell): Promise<number> {
  const { blocks, bfree, bavail, bsize } = await statfs(cell.settings.home);
  const taken = blocks - bfree;
  cell.used = taken + bavail === 0 ? 0 : taken / (taken + bavail);
  return bavail * bsize;
}

/** Returns the turn that measures all instances and ends those over their quota. */
export function quotaWatch(cell: Cell): () => Promise<void> {
  const looks = new Map<string, DiskLook>();
  const used = new Map<string, { cpu: number; at: number }>();
  const disk = async (one: Instance, free: number): Promise<number> => {
    const last = looks.get(one.id);
    const now = { at: performance.now(), bytes: last?.bytes ?? 0, free };
    const rules = { quota: one.limits.disk * 2 ** 20, atLeast: 15 * cell.settings.beat };
    if (!lookDue(last, now, rules)) return now.bytes;
    const bytes = await cell.driver.disk(boxOf(cell, one));
    looks.set(one.id, { ...now, bytes });
    return bytes;
  };
  return async () => {
    const free = await lookAtFileSystem(cell);
    const held = list(cell).filter(holds);
    for (const known of [looks, used]) for (const id of known.keys()) if (!cell.instances.has(id)) known.delete(id);
    if (held.length === 0) return;
    const live = held.flatMap((one) => (one.identity ? [{ box: boxOf(cell, one), identity: one.identity }] : []));
    const measured = live.length > 0 ? await cell.driver.measure(live) : new Map();
    for (const one of held) {
      const { memory = 0, cpu = 0 } = measured.get(one.id) ?? {};
      const sample = { cpu, at: performance.now() };
      const usage = { memory, disk: await disk(one, free), cpu: cpuPercent(used.get(one.id), sample), at: Date.now() };
      used.set(one.id, sample);
      if (cell.live.has(one.id)) cell.usage.set(one.id, usage);
      const doom = overQuota(usage, one.limits);
      if (doom) stopInstance(cell, one.id, { doom, kill: true });
    }
  };
}

/** Removes crashed instances whose time is over. */
export async function reap(cell: Cell): Promise<void> {
  const lifetime = cell.settings.crashLifetime * cell.settings.beat;
  for (const one of outlived(list(cell), { now: Date.now(), lifetime, used: cell.used })) await discard(cell, one);
}
