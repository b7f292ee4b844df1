import { z } from "zod";
import type { App } from "../records.ts";
import { type Api, type Call, type Endpoint, get, patch } from "./api.ts";
import { environment } from "./appFields.ts";
import { appOf } from "./apps.ts";
import { appTarget, audit } from "./audit.ts";
import { merged, parse } from "./body.ts";
import { processOfType } from "./renewal.ts";
import { urlOf } from "./showRoute.ts";

const update = z.strictObject({ var: environment });

export const appEnvironment = (api: Api): Endpoint[] => [
  get("/v3/apps/:guid/env", async (call) => {
    const app = await appOf(api, call);
    await audit(api, call, { type: "audit.app.environment.show", target: appTarget(app) });
    return {
      environment_variables: app.env,
      staging_env_json: {},
      running_env_json: {},
      system_env_json: { VCAP_SERVICES: {} },
      application_env_json: { VCAP_APPLICATION: vcapApplication(api, app, call) },
    };
  }),
  get("/v3/apps/:guid/environment_variables", async (call) => {
    const app = await appOf(api, call);
    await audit(api, call, { type: "audit.app.environment_variables.show", target: appTarget(app) });
    return showVariables(app, call);
  }),
  patch("/v3/apps/:guid/environment_variables", async (call) => {
    const { guid } = await appOf(api, call);
    const change = parse(update, call.body).var;
    const app = await api.tables.apps.update(guid, (old) => ({ ...old, env: merged(old.env, change) }));
    // Names only: values are where people keep secrets.
    const data = { request: { environment_variables: Object.keys(change) } };
    await audit(api, call, { type: "audit.app.update", target: appTarget(app), data });
    return showVariables(app, call);
  }),
];

function showVariables({ guid, env }: App, { href }: Call) {
  const self = `/v3/apps/${guid}`;
  return { var: env, links: { self: href(`${self}/environment_variables`), app: href(self) } };
}

function vcapApplication({ tables }: Api, app: App, { base }: Call) {
  const space = tables.spaces.get(app.space);
  const organization = space && tables.organizations.get(space.organization);
  const mine = tables.routes.all().filter((route) => route.destinations.some((to) => to.app === app.guid));
  const uris = mine.map((route) => urlOf(route, tables));
  const web = processOfType({ tables }, app.guid, "web");
  return {
    cf_api: base,
    limits: { fds: 1024, mem: web?.memory_in_mb, disk: web?.disk_in_mb },
    application_name: app.name,
    application_uris: uris,
    name: app.name,
    space_name: space?.name,
    space_id: app.space,
    organization_id: organization?.guid,
    organization_name: organization?.name,
    uris,
    users: null,
    application_id: app.guid,
  };
}
