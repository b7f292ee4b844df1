import { z } from "zod";
import type { App } from "../records.ts";
import { type Api, type Call, type Endpoint, get, patch } from "./api.ts";
import { appOf } from "./apps.ts";
import { parse } from "./body.ts";
import { found, unprocessable } from "./errors.ts";

/** What Cloud Foundry calls features of an app. None can be switched on here yet, and none pretends that it can. */
const features: Record<string, string> = {
  ssh: "Enable SSHing into the app.",
  revisions: "Enable versioning of an application",
};

const update = z.strictObject({ enabled: z.boolean() });

export const appFeatures = (api: Api): Endpoint[] => [
  get("/v3/apps/:guid/features", async (call) => {
    const app = await appOf(api, call);
    return { resources: Object.keys(features).map((name) => show(app, name)) };
  }),
  get("/v3/apps/:guid/features/:name", async (call) => show(await appOf(api, call), nameOf(call))),
  patch("/v3/apps/:guid/features/:name", async (call) => {
    const app = await appOf(api, call);
    const name = nameOf(call);
    if (parse(update, call.body).enabled) throw unprocessable(`The feature ${name} is not supported by this cluster`);
    return show(
      await api.tables.apps.update(app.guid, (old) => ({ ...old, features: { ...old.features, [name]: false } })),
      name,
    );
  }),
  get("/v3/apps/:guid/ssh_enabled", async (call) => {
    await appOf(api, call);
    return { enabled: false, reason: "Disabled globally" };
  }),
  get("/v3/apps/:guid/permissions", async (call) => {
    await appOf(api, call);
    return { read_basic_data: true, read_sensitive_data: true };
  }),
  get("/v3/apps/:guid/revisions", (call) => none(api, call)),
  get("/v3/apps/:guid/revisions/deployed", (call) => none(api, call)),
  get("/v3/apps/:guid/tasks", (call) => none(api, call)),
];

const show = (app: App, name: string) => ({ name, description: features[name], enabled: app.features[name] ?? false });

function nameOf({ params }: Call): string {
  const { name = "" } = params;
  found(Object.hasOwn(features, name) ? name : undefined, "Feature");
  return name;
}

async function none(api: Api, call: Call) {
  await appOf(api, call);
  const { href } = call.href(call.request.url.split("?")[0] ?? "");
  const only = { href: `${href}?page=1&per_page=50` };
  const pagination = { total_results: 0, total_pages: 1, first: only, last: only, next: null, previous: null };
  return { pagination, resources: [] };
}
