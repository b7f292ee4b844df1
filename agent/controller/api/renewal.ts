import { randomUUID } from "node:crypto";
import type { App, Process } from "../records.ts";
import type { Api } from "./api.ts";
import { unprocessable } from "./errors.ts";

type Parts = Pick<Api, "tables" | "engine">;

export const processesOf = ({ tables }: Pick<Api, "tables">, app: string): Process[] =>
  tables.processes.all().filter((one) => one.app === app);

/** The process of a type that clients mean: while a deployment rolls there are two of type web, and the newer one counts. */
export function processOfType(api: Pick<Api, "tables">, app: string, type: string): Process | undefined {
  const mine = processesOf(api, app).filter((one) => one.type === type);
  return mine.sort((one, other) => (one.created_at < other.created_at ? 1 : -1))[0];
}

/** Gives processes a new version: instances of the old one no longer match and are replaced. */
export async function renew({ tables }: Parts, processes: readonly Process[]): Promise<Process[]> {
  const renewed: Process[] = [];
  for (const { guid } of processes)
    renewed.push(await tables.processes.update(guid, (old) => ({ ...old, version: randomUUID() })));
  return renewed;
}

/** Brings the instances of processes to what is now written down. */
export async function converge({ engine }: Parts, processes: readonly Process[]): Promise<void> {
  await Promise.all(processes.map((one) => engine.converge(one)));
}

/** Starts, or starts again: everything that runs is replaced by the current droplet, command and environment. */
export async function startApp(api: Parts, app: App): Promise<App> {
  if (!app.droplet) throw unprocessable("Assign a droplet before starting this app.");
  const processes = await renew(api, processesOf(api, app.guid));
  const started = await api.tables.apps.update(app.guid, (old) => ({ ...old, state: "STARTED" }));
  await converge(api, processes);
  return started;
}

export async function stopApp(api: Parts, app: App): Promise<App> {
  const stopped = await api.tables.apps.update(app.guid, (old) => ({ ...old, state: "STOPPED" }));
  await converge(api, processesOf(api, app.guid));
  return stopped;
}

/** The deployment that rolls this app now. */
export const rolling = ({ tables }: Pick<Api, "tables">, app: string) =>
  tables.deployments.all().find((one) => one.app === app && one.status === "ACTIVE");
