import { publicUrl } from "./address.ts";
import type { Api } from "./api.ts";
import type { Call } from "./call.ts";
import { instancesOf } from "./find.ts";
import type { App, Process, Route } from "./resources.ts";
import { place, session } from "./session.ts";
import { bytes, table } from "./show.ts";

/** `tutti apps`: a line for each app of the space. */
export async function apps(call: Call): Promise<void> {
  const opened = await session(call);
  const { api } = opened;
  const { space, organization } = await place(opened, call);
  const inSpace = { space_guids: space.guid };
  const [found, processes, routes, running] = await Promise.all([
    api.all<App>("/v3/apps", { ...inSpace, order_by: "name" }),
    api.all<Process>("/v3/processes", inSpace),
    api.all<Route>("/v3/routes", inSpace),
    counted(api, space.guid),
  ]);
  const byApp = Map.groupBy(processes, (process) => process.relationships?.app?.data?.guid);
  const rows = await Promise.all(
    found.map((app) => summary(api, app, { processes: byApp.get(app.guid) ?? [], routes, running })),
  );
  call.io.result(
    { ok: true, organization: organization.name, space: space.name, apps: rows },
    table(
      ["NAME", "STATE", "INSTANCES", "MEMORY", "URLS"],
      rows.map((row) => [
        row.name,
        row.state,
        `${row.running}/${row.instances}`,
        bytes(row.memory * 1024 * 1024),
        row.urls.join(", "),
      ]),
      `no apps in ${organization.name} / ${space.name} yet: tutti push APP`,
    ),
  );
}

type Running = Readonly<Record<string, number>>;

/** All of the space's at once: asking for each app by itself takes long when there are many. */
async function counted(api: Api, space: string): Promise<Running> {
  const answer = await api.maybe<{ running?: Running }>("/tutti/running", { space_guid: space }).catch(() => undefined);
  return answer?.running ?? {};
}

interface Space {
  processes: readonly Process[];
  routes: readonly Route[];
  running: Running;
}

async function summary(api: Api, app: App, { processes, routes, running }: Space) {
  const web = processes.find((process) => process.type === "web") ?? processes[0];
  const mine = routes.filter((route) => route.destinations?.some((each) => each.app.guid === app.guid));
  return {
    name: app.name,
    guid: app.guid,
    state: app.state.toLowerCase(),
    instances: web?.instances ?? 0,
    running: web?.instances && app.state === "STARTED" ? (running[web.guid] ?? (await lookedAt(api, web))) : 0,
    memory: web?.memory_in_mb ?? 0,
    urls: mine.map((route) => publicUrl(route.url, api.target)),
  };
}

/** For clusters that cannot count, and for apps so new that nobody has counted them. */
async function lookedAt(api: Api, process: Process): Promise<number> {
  const instances = await instancesOf(api, process);
  return instances.filter((each) => each.state === "RUNNING").length;
}
