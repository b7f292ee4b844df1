import { hostOf, splitAddress } from "../address.ts";
import type { Api } from "../api.ts";
import { Fault } from "../fault.ts";
import type { App, Domain, Route } from "../resources.ts";
import { ensureDestination, ensureRoute, type Taken } from "../routes.ts";
import type { Place } from "../session.ts";
import type { Wanted } from "./wanted.ts";

/** Addresses that an app is to have, before it has them. */
export interface Addresses {
  readonly taken: readonly Taken[];
  /** Those that it had before and keeps. */
  readonly kept: readonly Route[];
}

/**
 * Takes the addresses of an app that may not be there yet: one that is refused leaves no app behind that nobody can
 * reach. Those it has are kept; an app that has some gets no default one.
 */
export async function takeAddresses(
  api: Api,
  { space }: Place,
  { app, wanted }: { app: App | undefined; wanted: Wanted },
): Promise<Addresses> {
  const kept = app ? await api.all<Route>(`/v3/apps/${app.guid}/routes`) : [];
  if (wanted.noRoute) return { taken: [], kept };
  const asked = await addresses(api, wanted);
  const urls = asked.length || kept.length ? asked : [await defaultAddress(api, wanted)];
  const taken: Taken[] = [];
  try {
    for (const url of urls) taken.push(await ensureRoute(api, space.guid, url));
  } catch (error) {
    await giveBack(api, { taken });
    throw error;
  }
  return { taken, kept };
}

/** Addresses without an app would only keep their names from others. */
export async function giveBack(api: Api, { taken }: Pick<Addresses, "taken">): Promise<void> {
  for (const { route, made } of taken) if (made) await api.delete(`/v3/routes/${route.guid}`).catch(() => {});
}

/** Lets the addresses lead to the app. `onShared` is told of each that leads to other apps too. */
export async function connect(
  api: Api,
  { taken, kept }: Addresses,
  { app, onShared }: { app: App; onShared(url: string, apps: readonly string[]): void },
): Promise<Route[]> {
  const made: Route[] = [];
  for (const { route } of taken) {
    const { shared } = await ensureDestination(api, route, app);
    if (shared.length > 0) onShared(route.url, shared);
    made.push(route);
  }
  const known = new Set(made.map((route) => route.guid));
  return [...made, ...kept.filter((route) => !known.has(route.guid))];
}

async function addresses(api: Api, { urls = [], hosts = [], domains: below, name }: Wanted): Promise<string[]> {
  if (!urls.length && !hosts.length && !below) return [];
  const domains = await api.all<Domain>("/v3/domains");
  const parents = below ?? [ownDomain(domains).name];
  const filled = urls.map((url) =>
    url.replaceAll(/\$\{name\}/g, name).replaceAll(/\$\{target-base\}/g, ownDomain(domains).name),
  );
  const named = hosts.length || !below ? hosts : [ownHost(name)];
  const all = [...filled, ...named.flatMap((host) => parents.map((domain) => `${host}.${domain}`))];
  // All are looked at before the first is made.
  for (const url of all) splitAddress(url, domains);
  return all;
}

async function defaultAddress(api: Api, { name, randomRoute }: Wanted): Promise<string> {
  const { name: domain } = ownDomain(await api.all<Domain>("/v3/domains"));
  return `${ownHost(name)}${randomRoute ? `-${Math.random().toString(36).slice(2, 8)}` : ""}.${domain}`;
}

function ownHost(name: string): string {
  const host = hostOf(name);
  if (host) return host;
  throw new Fault(`no host name can be made of "${name}"`, { code: "bad_host", hint: "give one: --hostname HOST" });
}

function ownDomain(domains: readonly Domain[]): Domain {
  const own = domains.find((domain) => !domain.internal);
  if (own) return own;
  throw new Fault("the cluster has no domain for apps", { code: "no_domain", hint: "push with --no-route" });
}
