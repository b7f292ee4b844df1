import { z } from "zod";
import type { Build } from "../records.ts";
import { type Api, type Call, created, type Endpoint, get, patch, post } from "./api.ts";
import { lifecycle, lifecycleOf } from "./appFields.ts";
import { appOf } from "./apps.ts";
import { appTarget, audit } from "./audit.ts";
import { changed, metadataChange, noMetadata, parse } from "./body.ts";
import { ApiError, badRequest, found, kinds, unprocessable } from "./errors.ts";
import { fresh } from "./fresh.ts";
import { by, type Listing, list } from "./list.ts";
import { showBuild } from "./showBits.ts";

/** MiB that a staging may take when nobody says more. */
const staging = { memory: 1024, disk: 4096 };

const size = z.int("must be an integer").min(1, "must be greater than 0").nullish();
const creation = z.strictObject({
  package: z.strictObject({ guid: z.string() }),
  lifecycle: lifecycle.nullish(),
  staging_memory_in_mb: size,
  staging_disk_in_mb: size,
  staging_log_rate_limit_bytes_per_second: z.int().nullish(),
  metadata: metadataChange,
});
const update = z.strictObject({ metadata: metadataChange });

const listing: Listing<Build> = {
  filters: { app_guids: by((one) => one.app), package_guids: by((one) => one.package), states: by((one) => one.state) },
  labels: (one) => one.metadata.labels,
};

export const builds = (api: Api): Endpoint[] => [
  get("/v3/builds", (call) => index(api, call, api.tables.builds.all())),
  get("/v3/apps/:guid/builds", async (call) => {
    const { guid } = await appOf(api, call);
    return index(
      api,
      call,
      api.tables.builds.all().filter((one) => one.app === guid),
    );
  }),
  post("/v3/builds", async (call) => created(showBuild(await create(api, call), call, api.tables))),
  get("/v3/builds/:guid", async (call) => showBuild(await buildOf(api, call), call, api.tables)),
  patch("/v3/builds/:guid", async (call) => {
    const { guid } = await buildOf(api, call);
    const { metadata } = parse(update, call.body);
    const one = await api.tables.builds.update(guid, (old) => ({ ...old, metadata: changed(old.metadata, metadata) }));
    return showBuild(one, call, api.tables);
  }),
];

async function buildOf({ tables }: Api, { params }: Call): Promise<Build> {
  return found(await tables.builds.find(params["guid"] ?? ""), "Build");
}

const index = (api: Api, call: Call, all: Build[]) =>
  list(all, call, { listing, show: (one) => showBuild(one, call, api.tables) });

async function create(api: Api, call: Call): Promise<Build> {
  const asked = parse(creation, call.body);
  const { tables, engine } = api;
  const pkg = await tables.packages.find(asked.package.guid);
  const app = pkg && (await tables.apps.find(pkg.app));
  if (!pkg || !app)
    throw unprocessable("Unable to use package. Ensure that the package exists and you have access to it.");
  if (pkg.state !== "READY") throw badRequest("Cannot stage package whose state is not ready.");
  if (tables.builds.all().some((one) => one.app === app.guid && one.state === "STAGING"))
    throw new ApiError(kinds.stagingInProgress, "Only one build can be STAGING at a time per application.");
  const build = await tables.builds.insert({
    ...fresh(),
    app: app.guid,
    package: pkg.guid,
    state: "STAGING",
    buildpacks: app.buildpacks,
    stack: app.stack,
    ...lifecycleOf(asked.lifecycle ?? undefined, api.stack),
    memory_in_mb: asked.staging_memory_in_mb ?? staging.memory,
    disk_in_mb: asked.staging_disk_in_mb ?? staging.disk,
    created_by: call.user.guid,
    metadata: changed(noMetadata, asked.metadata),
  });
  await audit(api, call, {
    type: "audit.app.build.create",
    target: appTarget(app),
    data: { build_guid: build.guid, package_guid: pkg.guid },
  });
  engine.log(app.guid, `Creating build for app with guid ${app.guid}`);
  await engine.stage(build, pkg, app);
  return build;
}
