import { hostOf, splitAddress } from "../address.ts";
import type { Api } from "../api.ts";
import { Fault } from "../fault.ts";
import type { App, Domain, Route } from "../resources.ts";
import { ensureDestination, ensureRoute } from "../routes.ts";
import type { Place } from "../session.ts";
import type { Wanted } from "./wanted.ts";

/** Gives the app its addresses. Those it has are kept; an app that has some gets no default one. */
export async function ensureRoutes(
  api: Api,
  { space }: Place,
  { app, wanted }: { app: App; wanted: Wanted },
): Promise<Route[]> {
  const there = await api.all<Route>(`/v3/apps/${app.guid}/routes`);
  if (wanted.noRoute) return there;
  const asked = await addresses(api, wanted);
  const urls = asked.length || there.length ? asked : [await defaultAddress(api, wanted)];
  const made: Route[] = [];
  for (const url of urls) {
    const route = await ensureRoute(api, space.guid, url);
    await ensureDestination(api, route, app);
    made.push(route);
  }
  const known = new Set(made.map((route) => route.guid));
  return [...made, ...there.filter((route) => !known.has(route.guid))];
}

async function addresses(api: Api, { urls = [], hosts = [], domains: below, name }: Wanted): Promise<string[]> {
  if (!urls.length && !hosts.length && !below) return [];
  const domains = await api.all<Domain>("/v3/domains");
  const parents = below ?? [ownDomain(domains).name];
  const filled = urls.map((url) =>
    url.replaceAll(/\$\{name\}/g, name).replaceAll(/\$\{target-base\}/g, ownDomain(domains).name),
  );
  const named = hosts.length || !below ? hosts : [hostOf(name)];
  const all = [...filled, ...named.flatMap((host) => parents.map((domain) => `${host}.${domain}`))];
  // All are looked at before the first is made.
  for (const url of all) splitAddress(url, domains);
  return all;
}

async function defaultAddress(api: Api, { name, randomRoute }: Wanted): Promise<string> {
  const { name: domain } = ownDomain(await api.all<Domain>("/v3/domains"));
  const host = hostOf(name);
  if (!host)
    throw new Fault(`no host name can be made of "${name}"`, { code: "bad_host", hint: "give one: --hostname HOST" });
  return `${host}${randomRoute ? `-${Math.random().toString(36).slice(2, 8)}` : ""}.${domain}`;
}

function ownDomain(domains: readonly Domain[]): Domain {
  const own = domains.find((domain) => !domain.internal);
  if (own) return own;
  throw new Fault("the cluster has no domain for apps", { code: "no_domain", hint: "push with --no-route" });
}
