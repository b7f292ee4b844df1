import { randomUUID } from "node:crypto";
import { z } from "zod";
import type { App, Deployment } from "../records.ts";
import { type Api, type Call, created, type Endpoint, get, patch, post } from "./api.ts";
import { appTarget, audit } from "./audit.ts";
import { changed, metadataChange, noMetadata, parse, toOne } from "./body.ts";
import { found, unprocessable } from "./errors.ts";
import { fresh } from "./fresh.ts";
import { by, type Listing, list } from "./list.ts";
import { startApp } from "./renewal.ts";
import { showDeployment } from "./showRoute.ts";

const creation = z.strictObject({
  relationships: z.strictObject({ app: toOne }),
  droplet: z.strictObject({ guid: z.string().nullish() }).nullish(),
  revision: z.null({ error: "is not supported: give a droplet" }).optional(),
  strategy: z.literal("rolling", { error: "must be rolling: nothing else is supported here" }).nullish(),
  options: z
    .strictObject({ max_in_flight: z.int("must be an integer").min(1, "must be greater than 0").nullish() })
    .nullish(),
  metadata: metadataChange,
});
const update = z.strictObject({ metadata: metadataChange });

const listing: Listing<Deployment> = {
  filters: {
    app_guids: by((one) => one.app),
    states: by((one) => one.reason),
    status_values: by((one) => one.status),
    status_reasons: by((one) => one.reason),
  },
  labels: (one) => one.metadata.labels,
};

export const deployments = (api: Api): Endpoint[] => [
  get("/v3/deployments", (call) =>
    list(api.tables.deployments.all(), call, { listing, show: (one) => showDeployment(one, call) }),
  ),
  post("/v3/deployments", async (call) => created(showDeployment(await create(api, call), call))),
  get("/v3/deployments/:guid", async (call) => showDeployment(await deploymentOf(api, call), call)),
  patch("/v3/deployments/:guid", async (call) => {
    const { guid } = await deploymentOf(api, call);
    const { metadata } = parse(update, call.body);
    const one = await api.tables.deployments.update(guid, (old) => ({
      ...old,
      metadata: changed(old.metadata, metadata),
    }));
    return showDeployment(one, call);
  }),
  post("/v3/deployments/:guid/actions/cancel", (call) => cancel(api, call)),
];

async function deploymentOf(api: Api, { params }: Call): Promise<Deployment> {
  return found(await api.tables.deployments.find(params["guid"] ?? ""), "Deployment");
}

async function create(api: Api, call: Call): Promise<Deployment> {
  const asked = parse(creation, call.body);
  const app = await api.tables.apps.find(asked.relationships.app.data.guid);
  if (!app) throw unprocessable("Unable to use app. Ensure that the app exists and you have access to it.");
  const droplet = await dropletFor(api, app, asked.droplet?.guid ?? undefined);
  const wanted: Deployment = {
    ...fresh(),
    app: app.guid,
    status: "ACTIVE",
    reason: "DEPLOYING",
    strategy: "rolling",
    droplet,
    previousDroplet: app.droplet,
    process: randomUUID(),
    maxInFlight: asked.options?.max_in_flight ?? 1,
    metadata: changed(noMetadata, asked.metadata),
  };
  const one = app.state === "STARTED" ? await roll(api, wanted) : await startWith(api, app, wanted);
  const data = { deployment_guid: one.guid, droplet_guid: droplet, strategy: one.strategy };
  await audit(api, call, { type: "audit.app.deployment.create", target: appTarget(app), data });
  return one;
}

async function dropletFor({ tables }: Api, app: App, asked: string | undefined): Promise<string> {
  const guid = asked ?? app.droplet;
  if (!guid)
    throw unprocessable(
      "Invalid droplet. Please specify a droplet in the request or set a current droplet for the app.",
    );
  const droplet = await tables.droplets.find(guid);
  if (droplet?.state !== "STAGED" || droplet.app !== app.guid)
    throw unprocessable("Unable to assign current droplet. Ensure the droplet exists and belongs to this app.");
  return guid;
}

async function roll({ tables, engine }: Api, wanted: Deployment): Promise<Deployment> {
  const one = await tables.deployments.insert(wanted);
  await engine.roll(one);
  return one;
}

/** An app that does not run has nothing to roll over: it starts with the droplet, and that is the deployment. */
async function startWith(api: Api, app: App, wanted: Deployment): Promise<Deployment> {
  const assigned = await api.tables.apps.update(app.guid, (old) => ({ ...old, droplet: wanted.droplet }));
  await startApp(api, assigned);
  return await api.tables.deployments.insert({ ...wanted, process: app.guid, status: "FINALIZED", reason: "DEPLOYED" });
}

async function cancel(api: Api, call: Call) {
  const { guid, app: owner } = await deploymentOf(api, call);
  const one = await api.tables.deployments.update(guid, (old) => {
    if (old.status !== "ACTIVE")
      throw unprocessable(`Cannot cancel a deployment with status: ${old.status} and reason: ${old.reason}`);
    return { ...old, reason: "CANCELING" };
  });
  await api.engine.roll(one);
  const app = api.tables.apps.get(owner);
  if (app)
    await audit(api, call, {
      type: "audit.app.deployment.cancel",
      target: appTarget(app),
      data: { deployment_guid: guid },
    });
  return {};
}
