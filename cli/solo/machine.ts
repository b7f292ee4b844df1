import { statfsSync } from "node:fs";
import { totalmem } from "node:os";

/** What this machine has: MiB of memory and of free disk. */
export interface Machine {
  memory: number;
  disk: number;
}

/** Measured now; inside a container with a memory limit, that is the memory. `home`: where on the disk we live. */
export function thisMachine(home: string): Machine {
  const { bavail, bsize } = statfsSync(home);
  // 0, or more than there is, means no limit.
  const limit = process.constrainedMemory() || Number.POSITIVE_INFINITY;
  return { memory: mebi(Math.min(totalmem(), limit)), disk: mebi(bavail * bsize) };
}

// Not `>> 20`: that is arithmetic in 32 bits, and machines have more.
const mebi = (bytes: number) => Math.floor(bytes / 2 ** 20);
