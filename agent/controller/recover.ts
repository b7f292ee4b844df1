import type { Api } from "./api/api.ts";
import { complete } from "./api/claim.ts";
import { deleteApp, deleteDomain, deleteOrganization, deleteRoute, deleteSpace } from "./api/deletion.ts";
import { ApiError, kinds } from "./api/errors.ts";
import { carryOut } from "./api/jobs.ts";
import type { Job, Package } from "./records.ts";

/** Beats without a sign of life after which work of another controller counts as left behind. */
const abandoned = 120;

const gone = "The controller that worked on it has ended; ask for it again";

/**
 * Tidies up after controllers that ended in the middle of something: at the start after this controller's own earlier
 * run (`own`), now and then after others that never came back. Deletions are finished, everything else has FAILED.
 */
export async function recover(api: Api, { beat, own }: { beat: number; own: boolean }): Promise<void> {
  const { tables } = api;
  const left = (one: { controller?: string | undefined; updated_at: string }) =>
    one.controller === api.id ? own : Date.now() - Date.parse(one.updated_at) > abandoned * beat;
  await complete(api);
  for (const pkg of tables.packages.all())
    if (pkg.state === "PROCESSING_UPLOAD" && left(pkg)) await failPackage(api, pkg);
  for (const job of tables.jobs.all()) if (job.state === "PROCESSING" && left(job)) await resume(api, job);
}

async function failPackage({ tables }: Api, { guid }: Package): Promise<void> {
  await tables.packages.update(guid, (old) =>
    old.state === "PROCESSING_UPLOAD"
      ? { ...old, state: "FAILED", error: "The upload broke off: push again", controller: undefined }
      : undefined,
  );
}

type Deletion = (api: Api, guid: string) => Promise<void>;
const deletions: Record<string, Deletion> = {
  "app.delete": deleteApp,
  "space.delete": deleteSpace,
  "organization.delete": deleteOrganization,
  "domain.delete": deleteDomain,
  "route.delete": deleteRoute,
};

/** Deletions can be begun again at any point: whoever asked for one still wants it. */
async function resume(api: Api, job: Job): Promise<void> {
  let mine = false;
  const taken = await api.tables.jobs.update(job.guid, (old) => {
    mine = old.state === "PROCESSING" && old.controller === job.controller && old.updated_at === job.updated_at;
    return mine ? { ...old, controller: api.id } : undefined;
  });
  if (!mine) return;
  api.log.info({ job: job.guid, operation: job.operation }, "A job that was left behind is taken up");
  const run = deletions[job.operation];
  const { resource } = job;
  if (run && resource) return await carryOut(api, taken, () => run(api, resource));
  await carryOut(api, taken, async () => {
    throw new ApiError(kinds.unavailable, gone);
  });
}
