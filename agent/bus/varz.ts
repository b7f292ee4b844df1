import { availableParallelism } from "node:os";

/** The result of `make`, made again only when the last one is at least `ms` milliseconds old. */
export function atMostEvery<T>(ms: number, make: () => T, now: () => number = () => performance.now()): () => T {
  let last: { at: number; value: T } | undefined;
  return () => {
    if (!last || now() - last.at >= ms) last = { at: now(), value: make() };
    return last.value;
  };
}

/** Resident memory in KiB and bytes, and percent of one core since the call before. */
export function usageOfSelf(): () => { num_cores: number; mem: number; mem_bytes: number; cpu: number } {
  let before = { at: performance.now(), cpu: process.cpuUsage() };
  return () => {
    const now = { at: performance.now(), cpu: process.cpuUsage() };
    const used = now.cpu.user + now.cpu.system - before.cpu.user - before.cpu.system;
    const cpu = Math.round((used / 10 / Math.max(1, now.at - before.at)) * 10) / 10;
    before = now;
    const mem_bytes = process.memoryUsage.rss();
    return { num_cores: availableParallelism(), mem: Math.round(mem_bytes / 1024), mem_bytes, cpu };
  };
}
