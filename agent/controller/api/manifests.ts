import type { App } from "../records.ts";
import { Answer, type Api, type Call, created, type Endpoint, get, post } from "./api.ts";
import { appOf, insertApp } from "./apps.ts";
import { appTarget, audit } from "./audit.ts";
import { noMetadata } from "./body.ts";
import { fresh } from "./fresh.ts";
import { accepted } from "./jobs.ts";
import { applyManifest } from "./manifestApply.ts";
import { manifestDiff } from "./manifestDiff.ts";
import { manifestOf } from "./manifestOf.ts";
import { type Application, applicationsOf } from "./manifestSchema.ts";
import { fromYaml, toYaml } from "./manifestYaml.ts";
import { spaceOf } from "./spaces.ts";

export const manifests = (api: Api): Endpoint[] => [
  post("/v3/spaces/:guid/actions/apply_manifest", (call) => apply(api, call)),
  post("/v3/spaces/:guid/manifest_diff", (call) => diff(api, call)),
  get("/v3/apps/:guid/manifest", async (call) => {
    const app = await appOf(api, call);
    const text = toYaml({ applications: [manifestOf(api, app)] });
    return new Answer(200, text, { "content-type": "application/x-yaml; charset=utf-8" });
  }),
];

/** The apps are there when the answer is; everything else about them is the job's. */
async function apply(api: Api, call: Call) {
  const space = await spaceOf(api, call);
  const { read } = applicationsOf(fromYaml(call.body));
  const pairs: [App, Application][] = [];
  for (const one of read) pairs.push([await findOrCreate(api, call, { space: space.guid, one }), one]);
  for (const [app] of pairs) await audit(api, call, { type: "audit.app.apply_manifest", target: appTarget(app) });
  const run = async () => {
    for (const [app, one] of pairs) await applyManifest(api, call, { app, one });
  };
  return await accepted(api, call, { operation: "space.apply_manifest", kind: "space", resource: space.guid, run });
}

const inSpace = (api: Api, space: string, name: string) =>
  api.tables.apps.all().find((app) => app.space === space && app.name.toLowerCase() === name.toLowerCase());

async function findOrCreate(api: Api, call: Call, { space, one }: { space: string; one: Application }): Promise<App> {
  const { name } = one;
  return (
    inSpace(api, space, name) ??
    (await insertApp(api, call, {
      ...fresh(),
      name,
      space,
      state: "STOPPED",
      buildpacks: [],
      stack: api.stack,
      env: {},
      features: {},
      metadata: noMetadata,
    }))
  );
}

async function diff(api: Api, call: Call) {
  const { guid } = await spaceOf(api, call);
  const { read, raw } = applicationsOf(fromYaml(call.body));
  const differences = read.flatMap(({ name }, at) => {
    const app = inSpace(api, guid, name);
    const present = app ? manifestOf(api, app) : { processes: [] };
    const web = present.processes.find(({ type }) => type === "web");
    return manifestDiff(raw[at] ?? {}, { ...web, ...present }, at);
  });
  return created({ diff: differences });
}
