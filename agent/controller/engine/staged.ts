import { randomUUID } from "node:crypto";
import type { StagingResult } from "../../bus/messages/staging.ts";
import type { Build, Droplet, Process } from "../records.ts";
import type { Tables } from "../tables.ts";
import { processTypes } from "./stagingResult.ts";

/**
 * Writes the outcome of a build. The droplet's change of state is the gate: whoever makes it goes on, anybody else (a
 * second answer, another controller) does nothing. False when it was not this caller.
 */
export async function succeed(tables: Tables, build: Build, result: StagingResult): Promise<boolean> {
  const types = processTypes(result);
  const mine = await passGate(tables, build, (droplet) => ({
    ...droplet,
    state: "STAGED",
    process_types: types,
    detected_framework: result.detected_buildpack,
  }));
  if (mine) await complete(tables, build, Object.keys(types));
  return mine;
}

async function complete(tables: Tables, build: Build, types: readonly string[]): Promise<void> {
  await addProcesses(tables, build, types);
  await close(tables, build, { state: "STAGED" });
}

/** Does what was left undone when a controller went between the writes of an outcome. */
export async function repair(tables: Tables, build: Build, { state, error, process_types }: Droplet): Promise<void> {
  if (state === "FAILED") await close(tables, build, { state, error });
  else await complete(tables, build, Object.keys(process_types));
}

/** Ends a build without a droplet. What ran before runs on. */
export async function fail(tables: Tables, build: Build, error: string): Promise<boolean> {
  const mine = await passGate(tables, build, (droplet) => ({ ...droplet, state: "FAILED", error }));
  if (mine) await close(tables, build, { state: "FAILED", error });
  return mine;
}

/** Ends a build of which nobody will hear any more. */
export async function abandon(tables: Tables, build: Build, error: string): Promise<void> {
  await fail(tables, build, error);
  await close(tables, build, { state: "FAILED", error });
}

async function close(tables: Tables, build: Build, outcome: Pick<Build, "state" | "error">): Promise<void> {
  await tables.builds.update(build.guid, (one) => (one.state === "STAGING" ? { ...one, ...outcome } : undefined));
}

async function passGate(
  tables: Tables,
  { droplet: guid }: Build,
  change: (droplet: Droplet) => Droplet,
): Promise<boolean> {
  if (!guid) return false;
  let mine = false;
  await tables.droplets.update(guid, (droplet) => {
    mine = droplet.state === "AWAITING_UPLOAD";
    return mine ? change(droplet) : undefined;
  });
  return mine;
}

/** A process for each type that the app has none of yet; only web begins with an instance. */
async function addProcesses(tables: Tables, build: Build, types: readonly string[]): Promise<void> {
  const app = tables.apps.get(build.app);
  const present = tables.processes.all().filter((one) => one.app === build.app);
  const like = present.find((one) => one.type === "web");
  if (!app) return;
  for (const type of types) {
    if (present.some((one) => one.type === type)) continue;
    const web = type === "web";
    await tables.processes.insert(newProcess({ guid: web ? app.guid : randomUUID(), app: app.guid, type }, like));
  }
}

function newProcess(identity: Pick<Process, "guid" | "app" | "type">, like: Process | undefined): Process {
  const at = new Date().toISOString();
  const web = identity.type === "web";
  return {
    ...identity,
    created_at: at,
    updated_at: at,
    instances: web ? 1 : 0,
    memory_in_mb: like?.memory_in_mb ?? 512,
    disk_in_mb: like?.disk_in_mb ?? 1024,
    version: randomUUID(),
    health_check: { type: web ? "port" : "process" },
    metadata: { labels: {}, annotations: {} },
  };
}
