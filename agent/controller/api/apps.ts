import { randomUUID } from "node:crypto";
import { z } from "zod";
import { NameTaken } from "../names.ts";
import type { App, Process } from "../records.ts";
import { type Api, type Call, created, type Endpoint, get, patch, post, remove } from "./api.ts";
import { environment, lifecycle, lifecycleOf } from "./appFields.ts";
import { appTarget, audit } from "./audit.ts";
import { changed, merged, metadataChange, name, noMetadata, parse, toOne } from "./body.ts";
import { deleteApp } from "./deletion.ts";
import { found, unprocessable } from "./errors.ts";
import { fresh } from "./fresh.ts";
import { included } from "./included.ts";
import { accepted } from "./jobs.ts";
import { by, type Listing, page, select } from "./list.ts";
import { showApp } from "./showApp.ts";

/** MiB. What a process gets that asks for nothing. */
export const defaults = { memory: 256, disk: 1024 };

const creation = z.strictObject({
  name: name(),
  relationships: z.strictObject({ space: toOne }),
  environment_variables: environment.nullish(),
  lifecycle: lifecycle.optional(),
  metadata: metadataChange,
});
const update = z.strictObject({ name: name().optional(), lifecycle: lifecycle.optional(), metadata: metadataChange });

const includes = ["space", "org", "space.organization"];
const listing = (api: Api): Listing<App> => ({
  filters: {
    names: by((one) => one.name),
    space_guids: by((one) => one.space),
    organization_guids: by((one) => api.tables.spaces.get(one.space)?.organization),
    stacks: by((one) => one.stack),
    lifecycle_type: (_one, values) => values.includes("buildpack"),
  },
  orders: { name: (one) => one.name, state: (one) => one.state },
  labels: (one) => one.metadata.labels,
  includes,
});

export const apps = (api: Api): Endpoint[] => [
  get("/v3/apps", (call) => {
    const { pagination, records } = page(select(api.tables.apps.all(), call.query, listing(api)), call);
    const resources = records.map((one) => showApp(one, call));
    return { pagination, resources, ...included(api, call, { of: records, names: includes }) };
  }),
  post("/v3/apps", async (call) => created(showApp(await create(api, call), call))),
  get("/v3/apps/:guid", async (call) => {
    const one = await appOf(api, call);
    return { ...showApp(one, call), ...included(api, call, { of: [one], names: includes }) };
  }),
  patch("/v3/apps/:guid", (call) => change(api, call)),
  remove("/v3/apps/:guid", (call) => destroy(api, call)),
];

export async function appOf(api: Pick<Api, "tables">, { params }: Pick<Call, "params">): Promise<App> {
  return found(await api.tables.apps.find(params["guid"] ?? ""), "App");
}

async function create(api: Api, call: Call): Promise<App> {
  const { name, relationships, environment_variables, ...rest } = parse(creation, call.body);
  const space = relationships.space.data.guid;
  if (!(await api.tables.spaces.find(space)))
    throw unprocessable("Invalid space. Ensure that the space exists and you have access to it.");
  const record: App = {
    ...fresh(),
    name,
    space,
    state: "STOPPED",
    buildpacks: [],
    stack: api.stack,
    ...lifecycleOf(rest.lifecycle, api.stack),
    env: merged({}, environment_variables ?? {}),
    features: {},
    metadata: changed(noMetadata, rest.metadata),
  };
  return await insertApp(api, call, record);
}

/** Makes an app with its first process, which has the app's guid. */
export async function insertApp(api: Api, call: Call, record: App): Promise<App> {
  const one = await api.tables.apps.insert(record).catch(taken(record.name));
  try {
    await api.tables.processes.insert(firstProcess(one));
  } catch (error) {
    await api.tables.apps.delete(one.guid);
    throw error;
  }
  await audit(api, call, { type: "audit.app.create", target: appTarget(one), data: { request: { name: one.name } } });
  api.engine.log(one.guid, `Created app with guid ${one.guid}`);
  return one;
}

export const firstProcess = (app: App): Process => newProcess(app, "web", app.guid);

export function newProcess(app: App, type: string, guid?: string): Process {
  const web = type === "web";
  return {
    ...fresh(guid),
    app: app.guid,
    type,
    instances: web ? 1 : 0,
    memory_in_mb: defaults.memory,
    disk_in_mb: defaults.disk,
    version: randomUUID(),
    health_check: { type: web ? "port" : "process" },
    metadata: noMetadata,
  };
}

async function change(api: Api, call: Call) {
  const { guid } = await appOf(api, call);
  const { metadata, lifecycle: asked, ...rest } = parse(update, call.body);
  const bits = lifecycleOf(asked, api.stack);
  const one = await api.tables.apps
    .update(guid, (old) => ({ ...old, ...rest, ...bits, metadata: changed(old.metadata, metadata) }))
    .catch(taken(rest.name ?? ""));
  await audit(api, call, { type: "audit.app.update", target: appTarget(one), data: { request: { ...rest, ...bits } } });
  api.engine.log(guid, `Updated app with guid ${guid}`);
  return showApp(one, call);
}

async function destroy(api: Api, call: Call) {
  const one = await appOf(api, call);
  await audit(api, call, { type: "audit.app.delete-request", target: appTarget(one) });
  const run = () => deleteApp(api, one.guid);
  return await accepted(api, call, { operation: "app.delete", kind: "app", resource: one.guid, run });
}

const taken =
  (wanted: string) =>
  (error: unknown): never => {
    if (error instanceof NameTaken) throw unprocessable(`App with the name '${wanted}' already exists.`);
    throw error;
  };
