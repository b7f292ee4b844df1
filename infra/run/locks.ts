import { hostname } from "node:os";

/** Who holds a stack, as the engine tells it of a state that is kept in files. */
export interface Lock {
  readonly host: string;
  readonly pid: number;
  /** Instant, ISO 8601. */
  readonly since: string;
}

/** The engine's complaint about a locked stack → those who hold it; empty for any other complaint. */
export function locksIn(text: string): Lock[] {
  if (!/the stack is currently locked by/.test(text)) return [];
  const found = text.matchAll(/created by \S*@(\S+) \(pid (\d+)\) at (\S+)/g);
  return [...found].map(([, host = "", pid = "0", since = ""]) => ({ host, pid: Number(pid), since }));
}

/** True when every holder was a process of this machine, and none is there any more. */
export function abandoned(locks: readonly Lock[], lives: (pid: number) => boolean = alive): boolean {
  return locks.length > 0 && locks.every(({ host, pid }) => host === hostname() && !lives(pid));
}

/** A pid that somebody else has got since then counts as alive: better a question too many than two engines. */
function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
