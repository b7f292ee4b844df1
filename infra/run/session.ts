import { readdirSync, readFileSync } from "node:fs";

/**
 * Ends all that is left of a session. The engine puts each program and plugin in a process group of its own, and when it
 * is killed itself they go on: a Node that has lost its engine turns in circles at full speed. The session is what they
 * still have in common. Where there is no /proc to find it in, the first group is all that ends.
 */
export function endSession(session: number): void {
  for (const pid of [-session, ...membersOf(session)]) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has just gone by itself.
    }
  }
}

function membersOf(session: number): number[] {
  try {
    const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return all.filter((pid) => sessionOf(pid) === session).map(Number);
  } catch {
    return [];
  }
}

/** `pid (any name) state parent group session …` */
function sessionOf(pid: string): number | undefined {
  try {
    const [, rest = ""] = /\) (.*)$/s.exec(readFileSync(`/proc/${pid}/stat`, "utf8")) ?? [];
    return Number(rest.split(" ")[3]);
  } catch {
    return undefined;
  }
}
