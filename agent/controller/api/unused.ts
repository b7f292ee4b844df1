import type { Api } from "./api.ts";

type Parts = Pick<Api, "tables" | "blobs" | "log">;

/** Deletes those of the blobs that no record needs any more. A blob that stays is a nuisance, no error. */
export async function dropBlobs(api: Parts, hashes: readonly (string | undefined)[]): Promise<void> {
  for (const sha256 of new Set(hashes)) {
    if (sha256 === undefined || (await isUsed(api, sha256))) continue;
    try {
      await api.blobs.delete(sha256);
    } catch (error) {
      api.log.warn({ sha256, error: String(error) }, "A blob that nothing needs any more could not be deleted");
    }
  }
}

async function isUsed({ tables }: Parts, sha256: string): Promise<boolean> {
  const mine = (one: { sha256?: string | undefined }) => one.sha256 === sha256;
  if (tables.packages.all().some(mine) || tables.droplets.all().some(mine)) return true;
  return (await tables.resources.list()).some(({ value }) => value.sha256 === sha256);
}

/** Packages and droplets kept for each app, the newest; what is running stays in any case. */
const kept = 5;

/** Lets go of the bits of old packages and droplets. Their records stay, as EXPIRED. */
export async function expireBits(api: Parts, app: string): Promise<void> {
  const { tables } = api;
  const packages = tables.packages.all().filter((one) => one.app === app && one.state === "READY");
  const droplets = tables.droplets.all().filter((one) => one.app === app && one.state === "STAGED");
  const oldPackages = beyond(packages).filter((one) => !isStaging(api, one.guid));
  const oldDroplets = beyond(droplets).filter((one) => !isRunning(api, app, one.guid));
  const expired = <T extends { sha256?: string | undefined }>(one: T) => ({
    ...one,
    state: "EXPIRED" as const,
    sha256: undefined,
  });
  for (const { guid } of oldPackages) await tables.packages.update(guid, expired);
  for (const { guid } of oldDroplets) await tables.droplets.update(guid, expired);
  await dropBlobs(
    api,
    [...oldPackages, ...oldDroplets].map(({ sha256 }) => sha256),
  );
}

function beyond<T extends { created_at: string }>(records: readonly T[]): T[] {
  return [...records].sort((a, b) => (a.created_at < b.created_at ? 1 : -1)).slice(kept);
}

const isStaging = ({ tables }: Parts, pkg: string) =>
  tables.builds.all().some((one) => one.package === pkg && one.state === "STAGING");

function isRunning({ tables }: Parts, app: string, droplet: string): boolean {
  if (tables.apps.get(app)?.droplet === droplet) return true;
  if (tables.processes.all().some((one) => one.app === app && one.droplet === droplet)) return true;
  // A deployment that is cancelled goes back to what ran before.
  return tables.deployments.all().some((one) => one.status === "ACTIVE" && one.previousDroplet === droplet);
}
