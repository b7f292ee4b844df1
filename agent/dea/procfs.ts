import { readdirSync, readFileSync, statSync } from "node:fs";

/** One process as the kernel shows it. `cpu` and `started` in clock ticks (100 a second), `rss` in pages. */
export interface Process {
  pid: number;
  state: string;
  session: number;
  cpu: number;
  started: number;
  rss: number;
}

/** The line of /proc/<pid>/stat. The name in brackets may hold anything, brackets and spaces too. */
export function parseStat(line: string): Process {
  const fields = line.slice(line.lastIndexOf(")") + 2).split(" ");
  const number = (at: number) => Number(fields[at - 3]);
  return {
    pid: Number.parseInt(line, 10),
    state: fields[0] ?? "",
    session: number(6),
    cpu: number(14) + number(15),
    started: number(22),
    rss: number(24),
  };
}

/** A process by its number; undefined when there is none. Zombies count as gone. */
export function processOf(pid: number): Process | undefined {
  try {
    const one = parseStat(readFileSync(`/proc/${pid}/stat`, "latin1"));
    return one.state === "Z" || one.state === "X" ? undefined : one;
  } catch {
    return undefined;
  }
}

export function ownerOf(pid: number): number | undefined {
  try {
    return statSync(`/proc/${pid}`).uid;
  } catch {
    return undefined;
  }
}

export const pids = (): number[] => readdirSync("/proc").map(Number).filter(Number.isInteger);

/** All processes; between two hundred of them others get their turn. */
export async function processes(): Promise<Process[]> {
  const found: Process[] = [];
  for (const [at, pid] of pids().entries()) {
    const one = processOf(pid);
    if (one) found.push(one);
    if (at % 200 === 199) await new Promise(setImmediate);
  }
  return found;
}

/** One variable of a process's first environment; undefined when it may not be read. */
export function variableOf(pid: number, name: string): string | undefined {
  try {
    const all = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
    return all.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  } catch {
    return undefined;
  }
}

export const bootId = () => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();

/** Bytes of a page. */
export function pageSize(): number {
  return Number(/^KernelPageSize:\s+(\d+) kB/m.exec(readFileSync("/proc/self/smaps", "latin1"))?.[1] ?? 4) * 1024;
}

export function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
