import { execFile } from "node:child_process";
import { every } from "../run/every.ts";
import { type Running, start } from "../run/runner.ts";

/** KiB that a directory takes on disk; 0 when it is not there. */
export function diskUsage(directory: string): Promise<number> {
  return new Promise((resolve) => {
    // Files vanish while it looks: then du complains, and its sum is still right.
    execFile("du", ["-sk", directory], { encoding: "utf8" }, (_error, stdout) =>
      resolve(Number.parseInt(stdout, 10) || 0),
    );
  });
}

export interface DiskWatch {
  directory: string;
  /** MiB. */
  limit: number;
  /** Milliseconds between two looks. */
  interval: number;
  onExceeded: (mebibytes: number) => void;
}

/** Looks at a directory again and again, and tells when it takes more than it may. */
export function watchDisk({ directory, limit, interval, onExceeded }: DiskWatch): Running {
  let first = true;
  const look = async () => {
    // Most stagings end before the second look; they need none.
    if (first) first = false;
    else await measure();
  };
  const measure = async () => {
    const used = (await diskUsage(directory)) / 1024;
    if (used > limit) onExceeded(Math.ceil(used));
  };
  return start(every("disk watch", { interval, onError: () => {} }, look));
}
