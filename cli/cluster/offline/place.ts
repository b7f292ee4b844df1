import { readFileSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Where the offline ground of this person lives. */
export interface OfflinePlace {
  readonly home: string;
  /** Pid and address of the API, while it runs. */
  readonly groundFile: string;
  readonly logFile: string;
  /** The engine's own: state, plugins, passphrase. Worth nothing without the API that it tells of. */
  readonly engine: string;
  /** Settings of the stacks. */
  readonly clusters: string;
}

export function tuttiHome(env: NodeJS.ProcessEnv): string {
  return env["TUTTI_HOME"] || join(homedir(), ".tutti");
}

export function offlinePlace(env: NodeJS.ProcessEnv): OfflinePlace {
  const home = join(tuttiHome(env), "offline");
  return {
    home,
    groundFile: join(home, "ground.json"),
    logFile: join(home, "ground.log"),
    engine: join(home, "engine"),
    clusters: join(home, "clusters"),
  };
}

/** A file of the project, wherever the command was called. */
export function projectFile(path: string): string {
  return fileURLToPath(new URL(`../../../${path}`, import.meta.url));
}

/** An API of EC2 on this machine. */
export interface Ground {
  readonly pid: number;
  /** `http://127.0.0.1:<port>` */
  readonly url: string;
  /** What the API says to run really boots: in a rehearsal. */
  readonly boots?: boolean;
}

/** The ground that was begun last; `runs` is false when its process is gone, and its world with it. */
export function lastGround({ groundFile }: OfflinePlace): (Ground & { readonly runs: boolean }) | undefined {
  try {
    const ground = JSON.parse(readFileSync(groundFile, "utf8")) as Ground;
    return { ...ground, runs: alive(ground.pid) };
  } catch {
    return undefined;
  }
}

/** Whether what the offline API says to run really boots: it is that of a rehearsal. */
export function machinesBoot(env: NodeJS.ProcessEnv): boolean {
  return lastGround(offlinePlace(env))?.boots === true;
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
