import type { App, Droplet } from "../records.ts";
import { Answer, type Api, type Call, type Endpoint, get, patch, post } from "./api.ts";
import { appOf, newProcess } from "./apps.ts";
import { appTarget, audit } from "./audit.ts";
import { parse, toOne } from "./body.ts";
import { found, unprocessable } from "./errors.ts";
import { converge, processesOf, processOfType, renew, rolling, startApp, stopApp } from "./renewal.ts";
import { showApp } from "./showApp.ts";
import { showDroplet } from "./showBits.ts";
import { expireBits } from "./unused.ts";

export const appActions = (api: Api): Endpoint[] => [
  post("/v3/apps/:guid/actions/start", async (call) => {
    const app = await appOf(api, call);
    if (app.state === "STARTED") await converge(api, processesOf(api, app.guid));
    const started = app.state === "STARTED" ? app : await startApp(api, app);
    return await done(api, call, { app: started, deed: "start" });
  }),
  post("/v3/apps/:guid/actions/stop", async (call) => {
    const app = await stopApp(api, await appOf(api, call));
    return await done(api, call, { app, deed: "stop" });
  }),
  post("/v3/apps/:guid/actions/restart", async (call) => {
    const app = await startApp(api, await appOf(api, call));
    return await done(api, call, { app, deed: "restart" });
  }),
  // Nothing is cached between stagings: there is nothing to do, and it is done.
  post("/v3/apps/:guid/actions/clear_buildpack_cache", async (call) => {
    await appOf(api, call);
    return new Answer(202);
  }),
  get("/v3/apps/:guid/droplets/current", async (call) => {
    const { droplet } = await appOf(api, call);
    return showDroplet(found(droplet ? await api.tables.droplets.find(droplet) : undefined, "Droplet"), call);
  }),
  get("/v3/apps/:guid/relationships/current_droplet", async (call) => {
    const app = await appOf(api, call);
    found(app.droplet, "Droplet");
    return showRelation(app, call);
  }),
  patch("/v3/apps/:guid/relationships/current_droplet", async (call) => {
    const { data } = parse(toOne, call.body);
    const app = await assign(api, call, { app: await appOf(api, call), droplet: data.guid });
    return showRelation(app, call);
  }),
];

async function done(api: Api, call: Call, { app, deed }: { app: App; deed: string }) {
  await audit(api, call, { type: `audit.app.${deed}`, target: appTarget(app) });
  api.engine.log(app.guid, `${said[deed] ?? deed} app with guid ${app.guid}`);
  return showApp(app, call);
}
const said: Record<string, string> = { start: "Starting", stop: "Stopping", restart: "Restarting" };

/** Makes a droplet the one that the app runs; what runs already is replaced. */
async function assign(api: Api, call: Call, { app, droplet: guid }: { app: App; droplet: string }): Promise<App> {
  const droplet = await api.tables.droplets.find(guid);
  if (droplet?.state !== "STAGED" || droplet.app !== app.guid)
    throw unprocessable("Unable to assign current droplet. Ensure the droplet exists and belongs to this app.");
  if (rolling(api, app.guid))
    throw unprocessable("Cannot update the app's current droplet while a deployment is in flight.");
  const assigned = await api.tables.apps.update(app.guid, (old) =>
    old.droplet === guid ? undefined : { ...old, droplet: guid },
  );
  if (app.droplet !== guid) {
    await addProcesses(api, assigned, droplet);
    const processes = await renew(api, processesOf(api, app.guid));
    if (assigned.state === "STARTED") await converge(api, processes);
    await audit(api, call, {
      type: "audit.app.droplet.mapped",
      target: appTarget(assigned),
      data: { request: { droplet_guid: guid } },
    });
    api.background("expiring old bits", () => expireBits(api, app.guid));
  }
  return assigned;
}

/** A process for each type that the droplet knows and the app has none of yet. */
export async function addProcesses(api: Api, app: App, droplet: Droplet): Promise<void> {
  for (const type of Object.keys(droplet.process_types))
    if (!processOfType(api, app.guid, type)) await api.tables.processes.insert(newProcess(app, type));
}

function showRelation(app: App, { href }: Call) {
  const self = `/v3/apps/${app.guid}`;
  return {
    data: { guid: app.droplet },
    links: { self: href(`${self}/relationships/current_droplet`), related: href(`${self}/droplets/current`) },
  };
}
