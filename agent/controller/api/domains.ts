import { z } from "zod";
import { NameTaken } from "../names.ts";
import type { Domain } from "../records.ts";
import { type Api, type Call, created, type Endpoint, get, patch, post, remove } from "./api.ts";
import { changed, metadataChange, noMetadata, parse, toOne } from "./body.ts";
import { deleteDomain } from "./deletion.ts";
import { found, unprocessable } from "./errors.ts";
import { fresh } from "./fresh.ts";
import { accepted } from "./jobs.ts";
import { by, type Listing, list } from "./list.ts";
import { showDomain } from "./showTenancy.ts";

const labelForm = /^(?!-)[a-z0-9-]{1,63}(?<!-)$/i;

const creation = z.strictObject({
  name: z
    .string()
    .min(3, "is too short (minimum is 3 characters)")
    .max(253, "is too long (maximum is 253 characters)")
    .refine(
      (text) => text.split(".").every((label) => labelForm.test(label)),
      "does not comply with RFC 1035 standards",
    )
    .refine((text) => text.includes("."), 'must contain at least one "."'),
  internal: z.boolean().nullish(),
  router_group: z.null().optional(),
  relationships: z
    .strictObject({
      organization: toOne.optional(),
      shared_organizations: z.strictObject({ data: z.array(z.never()) }).optional(),
    })
    .optional(),
  metadata: metadataChange,
});
const update = z.strictObject({ metadata: metadataChange });

const listing: Listing<Domain> = {
  filters: { names: by((one) => one.name), organization_guids: by((one) => one.organization) },
  labels: (one) => one.metadata.labels,
};

export const domains = (api: Api): Endpoint[] => [
  get("/v3/domains", (call) => list(api.tables.domains.all(), call, { listing, show: (one) => showDomain(one, call) })),
  post("/v3/domains", (call) => create(api, call)),
  get("/v3/domains/:guid", async (call) => showDomain(await domainOf(api, call), call)),
  patch("/v3/domains/:guid", async (call) => {
    const { guid } = await domainOf(api, call);
    const { metadata } = parse(update, call.body);
    const one = await api.tables.domains.update(guid, (old) => ({ ...old, metadata: changed(old.metadata, metadata) }));
    return showDomain(one, call);
  }),
  remove("/v3/domains/:guid", (call) => destroy(api, call)),
  get("/v3/domains/:guid/route_reservations", async (call) => {
    const { guid } = await domainOf(api, call);
    const { host = "", path = "" } = call.query;
    const name = (one: { host: string; path: string }) => `${one.host} ${one.path}`.toLowerCase();
    const taken = api.tables.routes.all().some((one) => one.domain === guid && name(one) === name({ host, path }));
    return { matching_route: taken };
  }),
];

async function domainOf(api: Api, { params }: Pick<Call, "params">): Promise<Domain> {
  return found(await api.tables.domains.find(params["guid"] ?? ""), "Domain");
}

async function create(api: Api, call: Call) {
  const { metadata, relationships, name, internal } = parse(creation, call.body);
  const organization = relationships?.organization?.data.guid;
  if (organization && !(await api.tables.organizations.find(organization)))
    throw unprocessable(`Organization with guid '${organization}' does not exist or you do not have access to it.`);
  const record = {
    ...fresh(),
    name: name.toLowerCase(),
    internal: internal ?? false,
    organization,
    metadata: changed(noMetadata, metadata),
  };
  const one = await api.tables.domains.insert(record).catch((error: unknown) => {
    if (error instanceof NameTaken) throw unprocessable(`The domain name "${record.name}" is already in use`);
    throw error;
  });
  return created(showDomain(one, call));
}

async function destroy(api: Api, call: Call) {
  const one = await domainOf(api, call);
  if (one.name === api.domain)
    throw unprocessable(`The domain '${one.name}' cannot be deleted. It is reserved by the platform.`);
  const run = () => deleteDomain(api, one.guid);
  return await accepted(api, call, { operation: "domain.delete", kind: "domain", resource: one.guid, run });
}
