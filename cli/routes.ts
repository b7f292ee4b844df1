import { publicUrl, splitAddress } from "./address.ts";
import type { Api } from "./api.ts";
import type { Call } from "./call.ts";
import { Fault } from "./fault.ts";
import { openApp } from "./find.ts";
import type { App, Destination, Domain, Route } from "./resources.ts";
import { place, session } from "./session.ts";
import { table } from "./show.ts";

/** `tutti routes`: the addresses of the space. */
export async function routes(call: Call): Promise<void> {
  const opened = await session(call);
  const { api } = opened;
  const { space, organization } = await place(opened, call);
  const [found, apps] = await Promise.all([
    api.all<Route>("/v3/routes", { space_guids: space.guid }),
    api.all<App>("/v3/apps", { space_guids: space.guid }),
  ]);
  const names = new Map(apps.map((app) => [app.guid, app.name]));
  const rows = found.map((route) => ({
    url: publicUrl(route.url, api.target),
    apps: (route.destinations ?? []).map((each) => names.get(each.app.guid) ?? each.app.guid),
  }));
  call.io.result(
    { ok: true, routes: rows },
    table(
      ["URL", "APPS"],
      rows.map((row) => [row.url, row.apps.join(", ") || "-"]),
      `no addresses in ${organization.name} / ${space.name}`,
    ),
  );
}

export async function map(call: Call): Promise<void> {
  const { api, app, space } = await openApp(call);
  const { route } = await ensureRoute(api, space.guid, call.arg(1));
  const { added, shared } = await ensureDestination(api, route, app);
  const url = publicUrl(route.url, api.target);
  const words = `${app.name} answers at ${url}${added ? "" : " already"}`;
  call.io.result(
    { ok: true, app: app.name, url, changed: added, shared },
    shared.length > 0 ? `${words}, which it shares with ${shared.join(", ")}: requests go to all of them` : words,
  );
}

export async function unmap(call: Call): Promise<void> {
  const { api, app } = await openApp(call);
  const address = splitAddress(call.arg(1), await api.all<Domain>("/v3/domains"));
  const route = await findRoute(api, address);
  const mine = route?.destinations?.filter((each) => each.app.guid === app.guid) ?? [];
  for (const each of mine) await api.delete(`/v3/routes/${route?.guid}/destinations/${each.guid}`);
  // An address without apps would only keep its name from others.
  if (route && mine.length && mine.length === route.destinations?.length) await api.delete(`/v3/routes/${route.guid}`);
  call.io.result(
    { ok: true, app: app.name, changed: mine.length > 0 },
    mine.length
      ? `${app.name} no longer answers at ${call.arg(1)}`
      : `${call.arg(1)} did not lead to ${app.name}: nothing to do`,
  );
}

async function findRoute(
  api: Api,
  { host, domain, path }: ReturnType<typeof splitAddress>,
): Promise<Route | undefined> {
  const found = await api.all<Route>("/v3/routes", { hosts: host, domain_guids: domain.guid, paths: path });
  return found.find((route) => route.host === host && route.path === path);
}

export interface Taken {
  readonly route: Route;
  /** It was not there before. */
  readonly made: boolean;
}

/** The route of that address in the space, made if need be. Repeatable. */
export async function ensureRoute(api: Api, space: string, url: string): Promise<Taken> {
  const address = splitAddress(url, await api.all<Domain>("/v3/domains"));
  const there = await findRoute(api, address);
  const taken = there ? { route: there, made: false } : await create(api, space, address);
  const owner = taken.route.relationships?.space?.data?.guid;
  if (!owner || owner === space) return taken;
  throw refused(taken.route.url, "it belongs to another space");
}

async function create(
  api: Api,
  space: string,
  { host, domain, path }: ReturnType<typeof splitAddress>,
): Promise<Taken> {
  try {
    const route = await api.post<Route>("/v3/routes", {
      host,
      ...(path && { path }),
      relationships: { space: { data: { guid: space } }, domain: { data: { guid: domain.guid } } },
    });
    return { route, made: true };
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== "unprocessable_entity") throw error;
    // Somebody made it meanwhile, or it is in a space that we may not see.
    const there = await findRoute(api, { host, domain, path });
    if (there) return { route: there, made: false };
    throw refused(`${host}.${domain.name}${path}`, error.message);
  }
}

function refused(address: string, why: string): Fault {
  return new Fault(`${address} cannot be had: ${why}`, {
    code: "route_taken",
    hint: "choose another host (of a push: --hostname HOST)",
  });
}

export interface Destined {
  /** False when the route led to the app before. */
  readonly added: boolean;
  /** Names of other apps to which it leads too. */
  readonly shared: readonly string[];
}

export async function ensureDestination(api: Api, route: Route, app: App): Promise<Destined> {
  const { destinations } = await api.get<{ destinations: Destination[] }>(`/v3/routes/${route.guid}/destinations`);
  const others = [...new Set(destinations.map((each) => each.app.guid).filter((guid) => guid !== app.guid))];
  const added = !destinations.some((each) => each.app.guid === app.guid);
  if (added) await api.post(`/v3/routes/${route.guid}/destinations`, { destinations: [{ app: { guid: app.guid } }] });
  return { added, shared: await namesOf(api, others) };
}

async function namesOf(api: Api, guids: readonly string[]): Promise<string[]> {
  if (guids.length === 0) return [];
  const apps = await api.all<App>("/v3/apps", { guids: guids.join(",") });
  return guids.map((guid) => apps.find((each) => each.guid === guid)?.name ?? "an app that you may not see");
}
