import { readdir, readFile, readlink } from "node:fs/promises";

/** Who listens on a TCP port. */
export interface PortHolder {
  pid: number;
  /** Its command line, shortened. */
  command: string;
}

/**
 * The process that listens on a TCP port of this machine, from /proc; undefined when nobody listens, when the process
 * belongs to another user, or where there is no /proc.
 */
export async function portHolder(port: number): Promise<PortHolder | undefined> {
  const tables = await Promise.all(["/proc/net/tcp", "/proc/net/tcp6"].map(textOf));
  const sockets = new Set(tables.flatMap((table) => listeners(table, port)).map((inode) => `socket:[${inode}]`));
  if (sockets.size === 0) return undefined;
  for (const pid of await namesIn("/proc")) {
    if (!/^\d+$/.test(pid) || !(await holds(pid, sockets))) continue;
    const command = (await textOf(`/proc/${pid}/cmdline`)).replaceAll("\0", " ").trim().slice(0, 120);
    return { pid: Number(pid), command };
  }
  return undefined;
}

/** Inodes of the sockets that listen on a port, from the text of /proc/net/tcp. */
export function listeners(table: string, port: number): string[] {
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const rows = table.split("\n").map((line) => line.trim().split(/\s+/));
  return rows.flatMap((row) => (row[1]?.endsWith(`:${hex}`) && row[3] === "0A" && row[9] ? [row[9]] : []));
}

async function holds(pid: string, sockets: Set<string>): Promise<boolean> {
  for (const fd of await namesIn(`/proc/${pid}/fd`)) {
    const target = await readlink(`/proc/${pid}/fd/${fd}`).catch(() => "");
    if (sockets.has(target)) return true;
  }
  return false;
}

// Processes come and go while we look: what cannot be read any more holds nothing.
const textOf = (path: string) => readFile(path, "utf8").catch(() => "");
const namesIn = (path: string) => readdir(path).catch((): string[] => []);
