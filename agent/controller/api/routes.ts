import { z } from "zod";
import { NameTaken } from "../names.ts";
import type { Domain, Route } from "../records.ts";
import { type Api, type Call, created, type Endpoint, get, patch, post, remove } from "./api.ts";
import { appOf } from "./apps.ts";
import { audit, routeTarget } from "./audit.ts";
import { changed, metadataChange, noMetadata, parse, toOne } from "./body.ts";
import { deleteRoute } from "./deletion.ts";
import { found, unprocessable } from "./errors.ts";
import { fresh } from "./fresh.ts";
import { included } from "./included.ts";
import { accepted } from "./jobs.ts";
import { by, type Listing, page, select } from "./list.ts";
import { showRoute } from "./showRoute.ts";

const creation = z.strictObject({
  host: z.string().nullish(),
  path: z.string().max(128, "exceeds 128 characters").nullish(),
  port: z.null({ error: "is not supported: routes here are http routes" }).optional(),
  relationships: z.strictObject({ space: toOne, domain: toOne }),
  options: z.record(z.string(), z.unknown()).nullish(),
  metadata: metadataChange,
});
const update = z.strictObject({ options: z.record(z.string(), z.unknown()).nullish(), metadata: metadataChange });

const includes = ["domain", "space", "space.organization"];
const listing = (api: Api): Listing<Route> => ({
  filters: {
    hosts: by((one) => one.host),
    paths: by((one) => one.path),
    ports: () => false,
    domain_guids: by((one) => one.domain),
    space_guids: by((one) => one.space),
    organization_guids: by((one) => api.tables.spaces.get(one.space)?.organization),
    app_guids: (one, values) => one.destinations.some((to) => values.includes(to.app)),
    service_instance_guids: () => false,
  },
  labels: (one) => one.metadata.labels,
  includes,
});

export const routes = (api: Api): Endpoint[] => [
  get("/v3/routes", (call) => index(api, call, api.tables.routes.all())),
  get("/v3/apps/:guid/routes", async (call) => {
    const { guid } = await appOf(api, call);
    return index(
      api,
      call,
      api.tables.routes.all().filter((one) => one.destinations.some((to) => to.app === guid)),
    );
  }),
  post("/v3/routes", async (call) => {
    const { host, path, relationships, metadata } = parse(creation, call.body);
    const names = { host: host ?? "", path: path ?? "", domain: relationships.domain.data.guid };
    const one = await createRoute(api, call, {
      ...names,
      space: relationships.space.data.guid,
      metadata: changed(noMetadata, metadata),
    });
    return created(showRoute(one, call, api.tables));
  }),
  get("/v3/routes/:guid", async (call) => {
    const one = await routeOf(api, call);
    return { ...showRoute(one, call, api.tables), ...included(api, call, { of: [one], names: includes }) };
  }),
  patch("/v3/routes/:guid", async (call) => {
    const { guid } = await routeOf(api, call);
    const { metadata } = parse(update, call.body);
    const one = await api.tables.routes.update(guid, (old) => ({ ...old, metadata: changed(old.metadata, metadata) }));
    await audit(api, call, { type: "audit.route.update", target: routeTarget(one) });
    return showRoute(one, call, api.tables);
  }),
  remove("/v3/routes/:guid", (call) => destroy(api, call)),
];

export async function routeOf(api: Api, { params }: Call): Promise<Route> {
  return found(await api.tables.routes.find(params["guid"] ?? ""), "Route");
}

function index(api: Api, call: Call, all: Route[]) {
  const { pagination, records } = page(select(all, call.query, listing(api)), call);
  const resources = records.map((one) => showRoute(one, call, api.tables));
  return { pagination, resources, ...included(api, call, { of: records, names: includes }) };
}

type Wanted = Pick<Route, "host" | "path" | "domain" | "space" | "metadata">;

export async function createRoute(api: Api, call: Call, wanted: Wanted): Promise<Route> {
  const [space, domain] = [await api.tables.spaces.find(wanted.space), await api.tables.domains.find(wanted.domain)];
  if (!space) throw unprocessable("Invalid space. Ensure that the space exists and you have access to it.");
  if (!domain) throw unprocessable("Invalid domain. Ensure that the domain exists and you have access to it.");
  const name = api.tables.organizations.get(space.organization)?.name;
  if (domain.organization && domain.organization !== space.organization)
    throw unprocessable(`Invalid domain. Domain '${domain.name}' is not available in organization '${name}'.`);
  const host = wanted.host.toLowerCase();
  checkNames(api, { ...wanted, host }, domain);
  const one = await api.tables.routes
    .insert({ ...fresh(), ...wanted, host, destinations: [] })
    .catch(taken({ ...wanted, host }, domain));
  await audit(api, call, {
    type: "audit.route.create",
    target: routeTarget(one),
    data: { request: { host, path: one.path, domain: domain.name } },
  });
  return one;
}

/** Refuses names that cannot be reached, and those of the cluster itself. */
export function checkNames(api: Api, { host, path }: Pick<Route, "host" | "path">, domain: Domain): void {
  if (
    host &&
    host !== "*" &&
    !/^(?!-)[a-z0-9_-]{1,63}(?<!-)$/.test(host) &&
    !/^([a-z0-9_-]{1,63}\.)+[a-z0-9_-]{1,63}$/.test(host)
  )
    throw unprocessable("Host format is invalid.");
  if (`${host}.${domain.name}`.length > 253)
    throw unprocessable("Host combined with domain name must be no more than 253 characters.");
  if (!host && !domain.organization)
    throw unprocessable("Missing host. Routes in shared domains must have a host defined.");
  if (host === "api" && domain.name === api.domain)
    throw unprocessable("Route conflicts with a reserved system route.");
  if (api.tables.domains.all().some((other) => other.name === `${host}.${domain.name}`))
    throw unprocessable(`Route conflicts with domain '${host}.${domain.name}'.`);
  if (path) checkPath(path);
}

function checkPath(path: string): void {
  if (path === "/") throw unprocessable("Path cannot be a single '/'.");
  if (!path.startsWith("/")) throw unprocessable("Path is missing the beginning '/'.");
  if (path.includes("?")) throw unprocessable("Path cannot contain '?'.");
  if (!/^\/[\w.~!$&'()*+,;=:@%/-]+$/.test(path)) throw unprocessable("Path is invalid.");
}

async function destroy(api: Api, call: Call) {
  const one = await routeOf(api, call);
  await audit(api, call, { type: "audit.route.delete-request", target: routeTarget(one) });
  const run = () => deleteRoute(api, one.guid);
  return await accepted(api, call, { operation: "route.delete", kind: "route", resource: one.guid, run });
}

const taken =
  ({ host, path }: Wanted, { name }: Domain) =>
  (error: unknown): never => {
    if (!(error instanceof NameTaken)) throw error;
    const parts = [host && `host '${host}'`, path && `path '${path}'`].filter(Boolean);
    throw unprocessable(
      `Route already exists${parts.length > 0 ? ` with ${parts.join(" and ")}` : ""} for domain '${name}'.`,
    );
  };
