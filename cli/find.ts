import { near } from "../roles/near.ts";
import type { Api } from "./api.ts";
import type { Call } from "./call.ts";
import { Fault } from "./fault.ts";
import type { App, Instance, Process, Route } from "./resources.ts";
import { type Place, place, type Session, session } from "./session.ts";

export interface Found extends Session, Place {
  app: App;
}

/** Opens the session and finds the app that the first argument names. */
export async function openApp(call: Call): Promise<Found> {
  const opened = await session(call);
  const where = await place(opened, call);
  return { ...opened, ...where, app: await findApp(opened.api, where, call.arg(0)) };
}

export async function findApp(api: Api, where: Place, name: string): Promise<App> {
  const apps = await api.all<App>("/v3/apps", { names: name, space_guids: where.space.guid });
  if (apps[0]) return apps[0];
  const others = await api.all<App>("/v3/apps", { space_guids: where.space.guid });
  const close = near(
    name,
    others.map((app) => app.name),
  );
  throw new Fault(`there is no app "${name}" in ${where.organization.name} / ${where.space.name}`, {
    code: "no_app",
    hint: close ? `did you mean ${close}?` : "tutti apps lists what is there",
  });
}

export const processesOf = (api: Api, app: App) => api.all<Process>(`/v3/apps/${app.guid}/processes`);

export const routesOf = (api: Api, app: App) => api.all<Route>(`/v3/apps/${app.guid}/routes`);

export async function instancesOf(api: Api, process: { guid: string }): Promise<Instance[]> {
  const stats = await api.get<{ resources: Instance[] }>(`/v3/processes/${process.guid}/stats`);
  return stats.resources;
}

/** The process the options mean: `--process`, else web. */
export async function findProcess(api: Api, app: App, type: string | undefined): Promise<Process> {
  const processes = await processesOf(api, app);
  const wanted = type ?? "web";
  const found = processes.find((process) => process.type === wanted) ?? (type ? undefined : processes[0]);
  if (found) return found;
  throw new Fault(`${app.name} has no process of type ${wanted}`, {
    code: "no_process",
    hint: `it has: ${processes.map((process) => process.type).join(", ") || "none yet; push it first"}`,
  });
}
