import { z } from "zod";
import { NameTaken } from "../names.ts";
import type { Organization } from "../records.ts";
import { type Api, type Call, created, type Endpoint, get, patch, post, remove } from "./api.ts";
import { audit, organizationTarget } from "./audit.ts";
import { changed, metadataChange, name, noMetadata, parse } from "./body.ts";
import { deleteOrganization } from "./deletion.ts";
import { found, unprocessable } from "./errors.ts";
import { fresh } from "./fresh.ts";
import { accepted } from "./jobs.ts";
import { by, type Listing, list } from "./list.ts";
import { quotaGuid, relation, showDomain, showOrganization } from "./showTenancy.ts";

const creation = z.strictObject({ name: name(), suspended: z.boolean().optional(), metadata: metadataChange });
const update = creation.partial();

const listing: Listing<Organization> = {
  filters: { names: by((one) => one.name), isolation_segment_guid: () => false },
  orders: { name: (one) => one.name },
  labels: (one) => one.metadata.labels,
};

export const organizations = (api: Api): Endpoint[] => [
  get("/v3/organizations", (call) =>
    list(api.tables.organizations.all(), call, { listing, show: (one) => showOrganization(one, call) }),
  ),
  post("/v3/organizations", (call) => create(api, call)),
  get("/v3/organizations/:guid", async (call) => showOrganization(await organizationOf(api, call), call)),
  patch("/v3/organizations/:guid", (call) => change(api, call)),
  remove("/v3/organizations/:guid", (call) => destroy(api, call)),
  get("/v3/organizations/:guid/usage_summary", (call) => usage(api, call)),
  get("/v3/organizations/:guid/relationships/default_isolation_segment", async (call) => {
    await organizationOf(api, call);
    return relation(undefined);
  }),
  get("/v3/organizations/:guid/domains", (call) => domains(api, call)),
  get("/v3/organizations/:guid/domains/default", async (call) => {
    const { guid } = await organizationOf(api, call);
    return showDomain(found(defaultDomain(api, guid), "Domain"), call);
  }),
  get(`/v3/organization_quotas/${quotaGuid}`, (call) => showQuota(call)),
];

export async function organizationOf(api: Api, { params }: Pick<Call, "params">): Promise<Organization> {
  return found(await api.tables.organizations.find(params["guid"] ?? ""), "Organization");
}

/** The domain an app gets its route in when nobody names one: shared ones first, the oldest. */
export function defaultDomain({ tables }: Pick<Api, "tables">, organization: string) {
  const usable = tables.domains
    .all()
    .filter((one) => !one.internal && [undefined, organization].includes(one.organization));
  const rank = (one: (typeof usable)[number]) => `${one.organization === undefined ? 0 : 1}${one.created_at}`;
  return usable.sort((a, b) => (rank(a) < rank(b) ? -1 : 1))[0];
}

async function create(api: Api, call: Call) {
  const { metadata, suspended = false, ...rest } = parse(creation, call.body);
  const record = { ...fresh(), ...rest, suspended, metadata: changed(noMetadata, metadata) };
  const one = await api.tables.organizations.insert(record).catch(taken(rest.name));
  await audit(api, call, {
    type: "audit.organization.create",
    target: organizationTarget(one),
    data: { request: rest },
  });
  return created(showOrganization(one, call));
}

async function change(api: Api, call: Call) {
  const { guid } = await organizationOf(api, call);
  const { metadata, ...rest } = parse(update, call.body);
  const one = await api.tables.organizations
    .update(guid, (old) => ({ ...old, ...rest, metadata: changed(old.metadata, metadata) }))
    .catch(taken(rest.name ?? ""));
  await audit(api, call, {
    type: "audit.organization.update",
    target: organizationTarget(one),
    data: { request: rest },
  });
  return showOrganization(one, call);
}

async function destroy(api: Api, call: Call) {
  const one = await organizationOf(api, call);
  await audit(api, call, { type: "audit.organization.delete-request", target: organizationTarget(one) });
  const run = () => deleteOrganization(api, one.guid);
  return await accepted(api, call, { operation: "organization.delete", kind: "organization", resource: one.guid, run });
}

async function domains(api: Api, call: Call) {
  const { guid } = await organizationOf(api, call);
  const visible = api.tables.domains.all().filter((one) => [undefined, guid].includes(one.organization));
  const filters: Listing<(typeof visible)[number]>["filters"] = {
    names: by((one) => one.name),
    organization_guids: by((one) => one.organization),
  };
  const labels = (one: (typeof visible)[number]) => one.metadata.labels;
  return list(visible, call, { listing: { filters, labels }, show: (one) => showDomain(one, call) });
}

async function usage(api: Api, call: Call) {
  const { guid } = await organizationOf(api, call);
  const { apps, spaces, processes } = api.tables;
  const mine = processes.all().filter((one) => {
    const app = apps.get(one.app);
    return app?.state === "STARTED" && spaces.get(app.space)?.organization === guid;
  });
  const memory = mine.reduce((sum, one) => sum + one.instances * one.memory_in_mb, 0);
  const instances = mine.reduce((sum, one) => sum + one.instances, 0);
  return { usage_summary: { started_instances: instances, memory_in_mb: memory } };
}

function showQuota({ href }: Call) {
  const apps = {
    total_memory_in_mb: null,
    per_process_memory_in_mb: null,
    total_instances: null,
    per_app_tasks: null,
    log_rate_limit_in_bytes_per_second: null,
  };
  const services = { paid_services_allowed: true, total_service_instances: null, total_service_keys: null };
  return {
    guid: quotaGuid,
    created_at: "2012-05-01T00:00:00Z",
    updated_at: "2012-05-01T00:00:00Z",
    name: quotaGuid,
    apps,
    services,
    routes: { total_routes: null, total_reserved_ports: null },
    domains: { total_domains: null },
    relationships: { organizations: { data: [] } },
    links: { self: href(`/v3/organization_quotas/${quotaGuid}`) },
  };
}

const taken =
  (wanted: string) =>
  (error: unknown): never => {
    if (error instanceof NameTaken) throw unprocessable(`Organization '${wanted}' already exists.`);
    throw error;
  };
