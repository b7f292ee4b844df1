import type { Process } from "../records.ts";
import type { Api } from "./api.ts";
import { dropBlobs } from "./unused.ts";

type Parts = Pick<Api, "tables" | "engine" | "blobs" | "log">;

/**
 * Takes an app away with everything that is only its own. Children go first and the app last: whoever is interrupted
 * can begin again and finds what is left.
 */
export async function deleteApp(api: Parts, guid: string): Promise<void> {
  const { tables, engine } = api;
  const app = await tables.apps.find(guid);
  if (!app) return;
  // From here on the health manager brings nothing back.
  if (app.state !== "STOPPED") await tables.apps.update(guid, (old) => ({ ...old, state: "STOPPED" }));
  await unmap(api, guid);
  for (const one of of(tables.processes.all(), guid)) await deleteProcess(api, one);
  for (const one of of(tables.deployments.all(), guid)) await tables.deployments.delete(one.guid);
  for (const one of of(tables.builds.all(), guid)) await tables.builds.delete(one.guid);
  const bits = [...of(tables.packages.all(), guid), ...of(tables.droplets.all(), guid)];
  for (const one of of(tables.droplets.all(), guid)) await tables.droplets.delete(one.guid);
  for (const one of of(tables.packages.all(), guid)) await tables.packages.delete(one.guid);
  await dropBlobs(
    api,
    bits.map(({ sha256 }) => sha256),
  );
  await tables.apps.delete(guid);
  engine.log(guid, `Deleted app with guid ${guid}`);
}

const of = <T extends { app: string }>(records: readonly T[], app: string) => records.filter((one) => one.app === app);

async function deleteProcess({ tables, engine }: Parts, one: Process): Promise<void> {
  await engine.stop(one);
  await tables.processes.delete(one.guid);
}

async function unmap({ tables }: Parts, app: string): Promise<void> {
  for (const route of tables.routes.all())
    if (route.destinations.some((to) => to.app === app))
      await tables.routes.update(route.guid, (old) => ({
        ...old,
        destinations: old.destinations.filter((to) => to.app !== app),
      }));
}

export async function deleteRoute({ tables, engine }: Parts, guid: string): Promise<void> {
  const route = await tables.routes.find(guid);
  if (!route) return;
  await tables.routes.delete(guid);
  for (const guid of new Set(route.destinations.map((to) => to.app))) {
    const app = tables.apps.get(guid);
    if (app) await engine.routesChanged(app);
  }
}

export async function deleteSpace(api: Parts, guid: string): Promise<void> {
  const { tables } = api;
  for (const app of tables.apps.all()) if (app.space === guid) await deleteApp(api, app.guid);
  for (const route of tables.routes.all()) if (route.space === guid) await deleteRoute(api, route.guid);
  for (const role of tables.roles.all()) if (role.space === guid) await tables.roles.delete(role.guid);
  await tables.spaces.delete(guid);
}

export async function deleteDomain(api: Parts, guid: string): Promise<void> {
  for (const route of api.tables.routes.all()) if (route.domain === guid) await deleteRoute(api, route.guid);
  await api.tables.domains.delete(guid);
}

export async function deleteOrganization(api: Parts, guid: string): Promise<void> {
  const { tables } = api;
  for (const space of tables.spaces.all()) if (space.organization === guid) await deleteSpace(api, space.guid);
  for (const domain of tables.domains.all()) if (domain.organization === guid) await deleteDomain(api, domain.guid);
  for (const role of tables.roles.all()) if (role.organization === guid) await tables.roles.delete(role.guid);
  await tables.organizations.delete(guid);
}
