import { publicUrl } from "./address.ts";
import type { Api } from "./api.ts";
import type { Call } from "./call.ts";
import { instancesOf, processesOf } from "./find.ts";
import type { App, Route } from "./resources.ts";
import { place, session } from "./session.ts";
import { bytes, table } from "./show.ts";

/** `tutti apps`: a line for each app of the space. */
export async function apps(call: Call): Promise<void> {
  const opened = await session(call);
  const { api } = opened;
  const { space, organization } = await place(opened, call);
  const [found, routes] = await Promise.all([
    api.all<App>("/v3/apps", { space_guids: space.guid, order_by: "name" }),
    api.all<Route>("/v3/routes", { space_guids: space.guid }),
  ]);
  const rows = await Promise.all(found.map((app) => summary(api, app, routes)));
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

async function summary(api: Api, app: App, routes: readonly Route[]) {
  const processes = await processesOf(api, app);
  const web = processes.find((process) => process.type === "web") ?? processes[0];
  const running = web && app.state === "STARTED" ? await instancesOf(api, web) : [];
  const mine = routes.filter((route) => route.destinations?.some((each) => each.app.guid === app.guid));
  return {
    name: app.name,
    guid: app.guid,
    state: app.state.toLowerCase(),
    instances: web?.instances ?? 0,
    running: running.filter((each) => each.state === "RUNNING").length,
    memory: web?.memory_in_mb ?? 0,
    urls: mine.map((route) => publicUrl(route.url, api.target)),
  };
}
