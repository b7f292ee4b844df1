import { readdirSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { soloCluster } from "../support/solo.ts";
import type { Benchmark } from "./harness.ts";

const seconds = 30;

/** All roles, nothing to do: memory and processor time of every process of ours. */
export const idle: Benchmark = {
  name: "idle",
  what: "memory and processor share of a cluster with all roles and nothing to do",
  async run(tell) {
    const solo = await soloCluster();
    try {
      await sleep(10_000);
      const pids = family(solo.agentPid());
      tell(`${pids.length} processes, watching for ${seconds} s`);
      const before = ticks(pids);
      await sleep(seconds * 1000);
      const share = (ticks(pids) - before) / 100 / seconds;
      const resident = pids.reduce((sum, pid) => sum + residentMiB(pid), 0);
      return [
        { name: "resident memory, all processes", value: resident, unit: "MiB", goal: { atMost: 400 } },
        { name: "processor, share of one core", value: share * 100, unit: "%", goal: { atMost: 2 } },
      ];
    } finally {
      await solo.remove();
    }
  },
};

function stat(pid: number): string[] {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  return text.slice(text.lastIndexOf(")") + 2).split(" ");
}

/** A process and everything below it. */
function family(root: number): number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync("/proc").filter((one) => /^\d+$/.test(one))) {
    try {
      parents.set(Number(name), Number(stat(Number(name))[1]));
    } catch {
      // It ended while we looked.
    }
  }
  const below = (pid: number): number[] => [
    pid,
    ...[...parents].filter(([, up]) => up === pid).flatMap(([one]) => below(one)),
  ];
  return below(root);
}

/** Clock ticks (1/100 s) of user and system time. */
function ticks(pids: readonly number[]): number {
  return pids.reduce((sum, pid) => sum + Number(stat(pid)[11]) + Number(stat(pid)[12]), 0);
}

/** Resident, as ps and top show it. */
function residentMiB(pid: number): number {
  const text = readFileSync(`/proc/${pid}/smaps_rollup`, "utf8");
  return Number(/^Rss:\s+(\d+)/m.exec(text)?.[1] ?? 0) / 1024;
}
