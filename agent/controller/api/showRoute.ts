import type { Deployment, Route } from "../records.ts";
import type { Tables } from "../tables.ts";
import type { Call } from "./api.ts";
import { stamp } from "./fresh.ts";
import { head, relation } from "./showTenancy.ts";

type Links = Pick<Call, "href">;

/** The name at which the route is reached, without scheme and port. */
export function urlOf(route: Pick<Route, "host" | "path" | "domain">, { domains }: Pick<Tables, "domains">): string {
  const domain = domains.get(route.domain)?.name ?? "";
  return `${route.host ? `${route.host}.` : ""}${domain}${route.path}`;
}

export const showDestination = (to: Route["destinations"][number], route: Route) => ({
  guid: to.guid,
  app: { guid: to.app, process: { type: to.process_type } },
  weight: null,
  port: to.port ?? 8080,
  protocol: "http1",
  created_at: stamp(route.created_at),
  updated_at: stamp(route.updated_at),
});

export function showDestinations(route: Route, { href }: Links) {
  const self = `/v3/routes/${route.guid}`;
  return {
    destinations: route.destinations.map((to) => showDestination(to, route)),
    links: { self: href(`${self}/destinations`), route: href(self) },
  };
}

export function showRoute(route: Route, call: Links, tables: Pick<Tables, "domains">) {
  const { href } = call;
  const self = `/v3/routes/${route.guid}`;
  return {
    ...head(route),
    protocol: "http",
    host: route.host,
    path: route.path,
    port: null,
    url: urlOf(route, tables),
    destinations: showDestinations(route, call).destinations,
    options: {},
    metadata: route.metadata,
    relationships: { space: relation(route.space), domain: relation(route.domain) },
    links: {
      self: href(self),
      space: href(`/v3/spaces/${route.space}`),
      destinations: href(`${self}/destinations`),
      domain: href(`/v3/domains/${route.domain}`),
    },
  };
}

export function showDeployment(one: Deployment, { href }: Links) {
  const self = `/v3/deployments/${one.guid}`;
  const status = { value: one.status, reason: one.reason };
  const healthy = one.last_successful_healthcheck ?? one.created_at;
  return {
    ...head(one),
    state: one.reason,
    status: {
      ...status,
      details: { last_successful_healthcheck: stamp(healthy), last_status_change: stamp(one.updated_at) },
    },
    strategy: one.strategy,
    options: { max_in_flight: one.maxInFlight },
    droplet: { guid: one.droplet },
    previous_droplet: { guid: one.previousDroplet ?? null },
    new_processes: [{ guid: one.process, type: "web" }],
    revision: null,
    relationships: { app: relation(one.app) },
    metadata: one.metadata,
    links: {
      self: href(self),
      app: href(`/v3/apps/${one.app}`),
      ...(one.status === "ACTIVE" && { cancel: { ...href(`${self}/actions/cancel`), method: "POST" } }),
    },
  };
}
