import type { Tables } from "./tables.ts";

/** Milliseconds that records of the past are kept. cloud_controller_ng keeps its events a month, too. */
const day = 24 * 3600 * 1000;
const kept = { events: 31 * day, jobs: day, builds: 31 * day, packages: 31 * day, deployments: 31 * day };
/** And never more than so many events: an app that crashes all day must not fill the store. */
const mostEvents = 20_000;

/** Deletes what only tells of the past and is old. */
export async function tidy(tables: Tables, now: number): Promise<void> {
  const old = (one: { updated_at: string }, age: number) => now - Date.parse(one.updated_at) > age;
  const events = tables.events.all().sort((one, other) => (one.created_at < other.created_at ? 1 : -1));
  for (const [at, one] of events.entries())
    if (at >= mostEvents || old(one, kept.events)) await tables.events.delete(one.guid);
  for (const one of tables.jobs.all())
    if (one.state !== "PROCESSING" && old(one, kept.jobs)) await tables.jobs.delete(one.guid);
  for (const one of tables.builds.all())
    if (one.state !== "STAGING" && old(one, kept.builds)) await tables.builds.delete(one.guid);
  for (const one of tables.packages.all())
    if (["EXPIRED", "FAILED"].includes(one.state) && old(one, kept.packages)) await tables.packages.delete(one.guid);
  for (const one of tables.droplets.all())
    if (["EXPIRED", "FAILED"].includes(one.state) && old(one, kept.packages)) await tables.droplets.delete(one.guid);
  for (const one of tables.deployments.all())
    if (one.status === "FINALIZED" && old(one, kept.deployments)) await tables.deployments.delete(one.guid);
}
