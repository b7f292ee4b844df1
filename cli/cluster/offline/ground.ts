import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../../fault.ts";
import { alive, type Ground, lastGround, type OfflinePlace, projectFile } from "./place.ts";

export interface FoundGround extends Ground {
  /** True when it was started just now: empty. */
  readonly fresh: boolean;
  /** True when there was one before, which is gone with all that stood on it. */
  readonly lost: boolean;
}

/**
 * The ground that runs, or a new one. It has to outlive the command, because the API keeps its world in memory: what
 * `up` makes is what `destroy` must find. So it is a process of its own, until `tutti offline down`.
 */
export async function openGround(place: OfflinePlace): Promise<FoundGround> {
  const last = lastGround(place);
  if (last?.runs && (await answers(last.url))) return { pid: last.pid, url: last.url, fresh: false, lost: false };
  forget(place);
  return { ...(await startGround(place)), fresh: true, lost: last !== undefined };
}

/** State that tells of a world that is gone would make the engine ask for machines that nobody has. */
function forget({ engine, clusters, groundFile }: OfflinePlace): void {
  for (const gone of [engine, clusters, groundFile]) rmSync(gone, { recursive: true, force: true });
}

async function startGround(place: OfflinePlace): Promise<Ground> {
  if (!existsSync(projectFile(".cache/tools/bin/moto-python")))
    throw new Fault("the offline EC2 API is not set up", { code: "ground_missing", hint: "node bin/setup.mjs" });
  mkdirSync(place.home, { recursive: true, mode: 0o700 });
  const log = openSync(place.logFile, "w", 0o600);
  const main = projectFile("cli/cluster/offline/main.ts");
  const env = { ...process.env, NODE_NO_WARNINGS: "1" };
  const child = spawn(process.execPath, [main, place.groundFile], { detached: true, stdio: ["ignore", log, log], env });
  const failed = new Promise<never>((_resolve, reject) => child.once("error", reject));
  child.unref();
  return await Promise.race([failed, firstWord(place, () => child.exitCode !== null || child.signalCode !== null)]);
}

async function firstWord(place: OfflinePlace, gone: () => boolean): Promise<Ground> {
  const deadline = Date.now() + 60_000;
  while (!gone() && Date.now() < deadline) {
    const ground = lastGround(place);
    if (ground?.runs) return ground;
    await sleep(50);
  }
  const [line = "it says nothing"] = readFileSync(place.logFile, "utf8").trim().split("\n").slice(-1);
  throw new Fault(`the offline EC2 API does not start: ${line}`, {
    code: "ground_failed",
    hint: `see ${place.logFile}`,
  });
}

/** Ends the ground and all that stood on it. Resolves to its pid, or to nothing when none ran. */
export async function closeGround(place: OfflinePlace): Promise<number | undefined> {
  const last = lastGround(place);
  const there = last?.runs && (await answers(last.url)) ? last.pid : undefined;
  if (there) await ended(there);
  forget(place);
  return there;
}

/** A pid alone proves nothing after a reboot. An API that is only slow is there all the same. */
async function answers(url: string): Promise<boolean> {
  const refused = (error: { cause?: { code?: string } }) => error.cause?.code !== "ECONNREFUSED";
  return await fetch(`${url}/moto-api/`, { signal: AbortSignal.timeout(10_000) }).then(() => true, refused);
}

async function ended(pid: number): Promise<void> {
  process.kill(pid, "SIGTERM");
  const deadline = Date.now() + 20_000;
  while (alive(pid)) {
    if (Date.now() > deadline) process.kill(pid, "SIGKILL");
    await sleep(20);
  }
}
