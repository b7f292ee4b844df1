import { z } from "zod";
import type { Droplet } from "../records.ts";
import { type Api, type Call, type Endpoint, get, patch, remove } from "./api.ts";
import { appOf } from "./apps.ts";
import { appTarget, audit } from "./audit.ts";
import { changed, metadataChange, parse } from "./body.ts";
import { found, unprocessable } from "./errors.ts";
import { accepted } from "./jobs.ts";
import { by, type Listing, list } from "./list.ts";
import { sendBlob } from "./packages.ts";
import { showDroplet } from "./showBits.ts";
import { dropBlobs } from "./unused.ts";

const update = z.strictObject({ metadata: metadataChange });

const listing = (api: Api): Listing<Droplet> => ({
  filters: {
    states: by((one) => one.state),
    app_guids: by((one) => one.app),
    space_guids: by((one) => api.tables.apps.get(one.app)?.space),
    organization_guids: by((one) => api.tables.spaces.get(api.tables.apps.get(one.app)?.space ?? "")?.organization),
    current: (one, values) => values.includes("true") && api.tables.apps.get(one.app)?.droplet === one.guid,
  },
  labels: (one) => one.metadata.labels,
});

export const droplets = (api: Api): Endpoint[] => [
  get("/v3/droplets", (call) => index(api, call, api.tables.droplets.all())),
  get("/v3/apps/:guid/droplets", async (call) => {
    const { guid } = await appOf(api, call);
    return index(
      api,
      call,
      api.tables.droplets.all().filter((one) => one.app === guid),
    );
  }),
  get("/v3/packages/:guid/droplets", (call) =>
    index(
      api,
      call,
      api.tables.droplets.all().filter((one) => one.package === call.params["guid"]),
    ),
  ),
  get("/v3/droplets/:guid", async (call) => showDroplet(await dropletOf(api, call), call)),
  patch("/v3/droplets/:guid", async (call) => {
    const { guid } = await dropletOf(api, call);
    const { metadata } = parse(update, call.body);
    const one = await api.tables.droplets.update(guid, (old) => ({
      ...old,
      metadata: changed(old.metadata, metadata),
    }));
    return showDroplet(one, call);
  }),
  remove("/v3/droplets/:guid", async (call) => destroy(api, call, await dropletOf(api, call))),
  get("/v3/droplets/:guid/download", async (call) => {
    const one = await dropletOf(api, call);
    if (one.state !== "STAGED" || !one.sha256)
      throw unprocessable("Droplet is not staged: there is nothing to download.");
    return await sendBlob(api, one.sha256, "application/gzip");
  }),
];

async function dropletOf(api: Api, { params }: Call): Promise<Droplet> {
  return found(await api.tables.droplets.find(params["guid"] ?? ""), "Droplet");
}

/** A droplet that is still being made is none yet. */
const index = (api: Api, call: Call, all: Droplet[]) => {
  const made = all.filter((one) => one.state !== "AWAITING_UPLOAD");
  return list(made, call, { listing: listing(api), show: (one) => showDroplet(one, call) });
};

async function destroy(api: Api, call: Call, one: Droplet) {
  const app = api.tables.apps.get(one.app);
  const runs = api.tables.processes.all().some((process) => process.droplet === one.guid);
  if (runs || (app?.droplet === one.guid && app.state === "STARTED"))
    throw unprocessable("The droplet is what the app runs now: stop the app or assign another droplet first.");
  if (app)
    await audit(api, call, {
      type: "audit.app.droplet.delete",
      target: appTarget(app),
      data: { droplet_guid: one.guid },
    });
  const run = async () => {
    if (app?.droplet === one.guid)
      await api.tables.apps.update(app.guid, (old) =>
        old.droplet === one.guid ? { ...old, droplet: undefined } : undefined,
      );
    await api.tables.droplets.delete(one.guid);
    await dropBlobs(api, [one.sha256]);
  };
  return await accepted(api, call, { operation: "droplet.delete", kind: "droplet", resource: one.guid, run });
}
