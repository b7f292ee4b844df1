import { readFile } from "node:fs/promises";

/** Connections HAProxy may promise: each needs two descriptors, and some are needed for itself. */
export async function connectionsPossible(): Promise<number> {
  const limits = await readFile("/proc/self/limits", "utf8").catch(() => "");
  const hard = Number(/^Max open files\s+\S+\s+(\d+)/m.exec(limits)?.[1] ?? 4096);
  return Math.max(100, Math.min(20_000, Math.floor((hard - 500) / 2.1)));
}

/**
 * Nobody, when we are root: HAProxy needs no rights once it has bound its port. Not inside a user namespace that may
 * not know that user, where HAProxy would refuse to start.
 */
export async function lesserUser(): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const map = await readFile("/proc/self/uid_map", "utf8").catch(() => "");
  const whole = /^\s*0\s+0\s+4294967295\s*$/.test(map);
  return whole ? { uid: 65534, gid: 65534 } : undefined;
}
