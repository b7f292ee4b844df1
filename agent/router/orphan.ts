import { readFile, readlink, rename, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** A HAProxy that serves from our directory: one that an agent which was killed has left behind, or our own. */
export interface Serving {
  pid: number;
  /** Its command socket, relative to the directory. */
  socket: string;
  port: number;
}

const file = "haproxy.json";

/** Notes who serves, for the next start. */
export async function noteServing(home: string, serving: Serving): Promise<void> {
  await writeFile(join(home, `${file}.new`), JSON.stringify(serving), { mode: 0o600 });
  await rename(join(home, `${file}.new`), join(home, file));
}

/**
 * The HAProxy that was left behind in this directory and still serves, if there is one. HAProxy lets several processes
 * of one user share a port: started beside a forgotten one, each would get half of the requests.
 */
export async function findOrphan(home: string): Promise<Serving | undefined> {
  try {
    const serving: Serving = JSON.parse(await readFile(join(home, file), "utf8"));
    const [where, what] = await Promise.all([
      readlink(`/proc/${serving.pid}/cwd`),
      readFile(`/proc/${serving.pid}/cmdline`, "utf8"),
    ]);
    return where === home && what.includes("haproxy") ? serving : undefined;
  } catch {
    return undefined;
  }
}

/** Ends a process that is not our child, if it is there. */
export function end(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended by itself.
  }
}
