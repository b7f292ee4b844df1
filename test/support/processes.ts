import { readdirSync, readFileSync, readlinkSync } from "node:fs";

/** Processes that name a directory on their command line, or live below it. */
export function processesOf(home: string): number[] {
  const ours = (pid: number) => {
    try {
      if (readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(home)) return true;
      return readlinkSync(`/proc/${pid}/cwd`).startsWith(home);
    } catch {
      return false;
    }
  };
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter(ours);
}
