import type { Process } from "./records.ts";

type Limits = Omit<NonNullable<Process["running"]>, "version">;

/**
 * A process as its instances have it: what was changed since they were started waits for the next start, restart or
 * deployment. One that is replaced after a crash must not get a command that was meant for the next droplet. Pure.
 */
export function asRunning(process: Process): Process {
  if (process.running?.version !== process.version) return process;
  const { version: _, ...limits } = process.running;
  return { ...process, command: undefined, ...limits };
}

/** A change of command, size or health check, that leaves what runs alone. Pure. */
export function changedLater(process: Process, change: Partial<Process>): Process {
  const { command, memory_in_mb, disk_in_mb, health_check }: Limits = asRunning(process);
  const running = { version: process.version, command, memory_in_mb, disk_in_mb, health_check };
  return { ...process, ...change, running };
}
