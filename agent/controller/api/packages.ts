import { z } from "zod";
import type { Package } from "../records.ts";
import { Answer, type Api, type Call, created, type Endpoint, get, patch, post, remove } from "./api.ts";
import { appOf } from "./apps.ts";
import { appTarget, audit } from "./audit.ts";
import { changed, metadataChange, noMetadata, parse, toOne } from "./body.ts";
import { ApiError, found, kinds, unprocessable } from "./errors.ts";
import { fresh } from "./fresh.ts";
import { accepted } from "./jobs.ts";
import { by, type Listing, list } from "./list.ts";
import { showPackage } from "./showBits.ts";
import { dropBlobs } from "./unused.ts";
import { uploadBits } from "./uploadBits.ts";

const creation = z.strictObject({
  type: z.literal("bits", { error: "must be bits: docker images are not supported here" }),
  relationships: z.strictObject({ app: toOne }),
  data: z.strictObject({}).optional(),
  metadata: metadataChange,
});
const copy = z.strictObject({ relationships: z.strictObject({ app: toOne }) });
const update = z.strictObject({ metadata: metadataChange });

const listing = (api: Api): Listing<Package> => ({
  filters: {
    states: by((one) => one.state),
    types: (_one, values) => values.includes("bits"),
    app_guids: by((one) => one.app),
    space_guids: by((one) => api.tables.apps.get(one.app)?.space),
    organization_guids: by((one) => api.tables.spaces.get(api.tables.apps.get(one.app)?.space ?? "")?.organization),
  },
  labels: (one) => one.metadata.labels,
});

export const packages = (api: Api): Endpoint[] => [
  get("/v3/packages", (call) => index(api, call, api.tables.packages.all())),
  get("/v3/apps/:guid/packages", async (call) => {
    const { guid } = await appOf(api, call);
    return index(
      api,
      call,
      api.tables.packages.all().filter((one) => one.app === guid),
    );
  }),
  post("/v3/packages", async (call) => created(showPackage(await create(api, call), call))),
  get("/v3/packages/:guid", async (call) => showPackage(await packageOf(api, call), call)),
  patch("/v3/packages/:guid", async (call) => {
    const { guid } = await packageOf(api, call);
    const { metadata } = parse(update, call.body);
    const one = await api.tables.packages.update(guid, (old) => ({
      ...old,
      metadata: changed(old.metadata, metadata),
    }));
    return showPackage(one, call);
  }),
  remove("/v3/packages/:guid", async (call) => destroy(api, call, await packageOf(api, call))),
  post("/v3/packages/:guid/upload", async (call) =>
    showPackage(await uploadBits(api, call, await packageOf(api, call)), call),
  ),
  get("/v3/packages/:guid/download", (call) => download(api, call)),
];

async function packageOf(api: Api, { params }: Pick<Call, "params">): Promise<Package> {
  return found(await api.tables.packages.find(params["guid"] ?? ""), "Package");
}

const index = (api: Api, call: Call, all: Package[]) =>
  list(all, call, { listing: listing(api), show: (one) => showPackage(one, call) });

async function create(api: Api, call: Call): Promise<Package> {
  const { source_guid: source } = call.query;
  if (source !== undefined) return await copyOf(api, call, source);
  const { relationships, metadata } = parse(creation, call.body);
  return await insert(api, call, {
    app: relationships.app.data.guid,
    state: "AWAITING_UPLOAD",
    metadata: changed(noMetadata, metadata),
  });
}

/** A copy shares its bits with the original: nothing has to be moved. */
async function copyOf(api: Api, call: Call, source: string): Promise<Package> {
  const original = found(await api.tables.packages.find(source), "Package");
  const { relationships } = parse(copy, call.body);
  if (original.state !== "READY") throw unprocessable("Source package must be READY");
  const { sha256, metadata } = original;
  return await insert(api, call, { app: relationships.app.data.guid, state: "READY", sha256, metadata });
}

async function insert(
  api: Api,
  call: Call,
  rest: Omit<Package, "guid" | "created_at" | "updated_at">,
): Promise<Package> {
  const app = await api.tables.apps.find(rest.app);
  if (!app) throw unprocessable("App is invalid. Ensure it exists and you have access to it.");
  const one = await api.tables.packages.insert({ ...fresh(), ...rest });
  await audit(api, call, {
    type: "audit.app.package.create",
    target: appTarget(app),
    data: { package_guid: one.guid },
  });
  return one;
}

async function destroy(api: Api, call: Call, one: Package) {
  const app = api.tables.apps.get(one.app);
  if (app)
    await audit(api, call, {
      type: "audit.app.package.delete",
      target: appTarget(app),
      data: { package_guid: one.guid },
    });
  const run = async () => {
    await api.tables.packages.delete(one.guid);
    await dropBlobs(api, [one.sha256]);
  };
  return await accepted(api, call, { operation: "package.delete", kind: "package", resource: one.guid, run });
}

async function download(api: Api, call: Call): Promise<Answer> {
  const one = await packageOf(api, call);
  if (!one.sha256) throw unprocessable("Package has no bits to download.");
  return await sendBlob(api, one.sha256, "application/zip");
}

/** A blob as it is, streamed. */
export async function sendBlob({ blobs }: Api, sha256: string, type: string): Promise<Answer> {
  const [info, bytes] = [await blobs.has(sha256), await blobs.get(sha256)];
  if (!info || !bytes) throw new ApiError(kinds.notFound, "The bits are no longer there: upload them again");
  return new Answer(200, bytes, { "content-type": type, "content-length": String(info.size) });
}
