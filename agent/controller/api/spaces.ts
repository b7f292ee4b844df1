import { z } from "zod";
import { NameTaken } from "../names.ts";
import type { Space } from "../records.ts";
import { type Api, type Call, created, type Endpoint, get, patch, post, remove } from "./api.ts";
import { audit, spaceTarget } from "./audit.ts";
import { changed, metadataChange, name, noMetadata, parse, toOne } from "./body.ts";
import { deleteRoute, deleteSpace } from "./deletion.ts";
import { badQuery, found, notFound, unprocessable } from "./errors.ts";
import { fresh } from "./fresh.ts";
import { included } from "./included.ts";
import { accepted } from "./jobs.ts";
import { by, type Listing, page, select } from "./list.ts";
import { relation, showSpace } from "./showTenancy.ts";

const creation = z.strictObject({
  name: name(),
  relationships: z.strictObject({ organization: toOne }),
  metadata: metadataChange,
});
const update = creation.omit({ relationships: true }).partial();

const includes = ["org", "organization"];
const listing: Listing<Space> = {
  filters: { names: by((one) => one.name), organization_guids: by((one) => one.organization) },
  orders: { name: (one) => one.name },
  labels: (one) => one.metadata.labels,
  includes,
};

export const spaces = (api: Api): Endpoint[] => [
  get("/v3/spaces", (call) => index(api, call)),
  post("/v3/spaces", (call) => create(api, call)),
  get("/v3/spaces/:guid", async (call) => {
    const one = await spaceOf(api, call);
    return { ...showSpace(one, call), ...included(api, call, { of: [one], names: includes }) };
  }),
  patch("/v3/spaces/:guid", (call) => change(api, call)),
  remove("/v3/spaces/:guid", (call) => destroy(api, call)),
  remove("/v3/spaces/:guid/routes", (call) => deleteUnmapped(api, call)),
  get("/v3/spaces/:guid/relationships/isolation_segment", async (call) => {
    await spaceOf(api, call);
    return relation(undefined);
  }),
  get("/v3/spaces/:guid/features/:name", async (call) => {
    await spaceOf(api, call);
    if (call.params["name"] !== "ssh") throw notFound("Feature");
    return { name: "ssh", description: "Enable SSHing into apps in the space.", enabled: false };
  }),
];

export async function spaceOf(api: Api, { params }: Pick<Call, "params">): Promise<Space> {
  return found(await api.tables.spaces.find(params["guid"] ?? ""), "Space");
}

function index(api: Api, call: Call) {
  const { pagination, records } = page(select(api.tables.spaces.all(), call.query, listing), call);
  const resources = records.map((one) => showSpace(one, call));
  return { pagination, resources, ...included(api, call, { of: records, names: includes }) };
}

async function create(api: Api, call: Call) {
  const { metadata, relationships, ...rest } = parse(creation, call.body);
  const organization = relationships.organization.data.guid;
  if (!(await api.tables.organizations.find(organization)))
    throw unprocessable("Invalid organization. Ensure the organization exists and you have access to it.");
  const record = { ...fresh(), ...rest, organization, metadata: changed(noMetadata, metadata) };
  const one = await api.tables.spaces.insert(record).catch(taken);
  await audit(api, call, { type: "audit.space.create", target: spaceTarget(one), data: { request: rest } });
  return created(showSpace(one, call));
}

async function change(api: Api, call: Call) {
  const { guid } = await spaceOf(api, call);
  const { metadata, ...rest } = parse(update, call.body);
  const one = await api.tables.spaces
    .update(guid, (old) => ({ ...old, ...rest, metadata: changed(old.metadata, metadata) }))
    .catch(taken);
  await audit(api, call, { type: "audit.space.update", target: spaceTarget(one), data: { request: rest } });
  return showSpace(one, call);
}

async function destroy(api: Api, call: Call) {
  const one = await spaceOf(api, call);
  await audit(api, call, { type: "audit.space.delete-request", target: spaceTarget(one) });
  const run = () => deleteSpace(api, one.guid);
  return await accepted(api, call, { operation: "space.delete", kind: "space", resource: one.guid, run });
}

async function deleteUnmapped(api: Api, call: Call) {
  const { guid } = await spaceOf(api, call);
  if (call.query["unmapped"] !== "true")
    throw badQuery("Mass delete not supported for routes. Use 'unmapped=true' parameter");
  const run = async () => {
    for (const route of api.tables.routes.all())
      if (route.space === guid && route.destinations.length === 0) await deleteRoute(api, route.guid);
  };
  return await accepted(api, call, { operation: "space.delete_unmapped_routes", kind: "space", resource: guid, run });
}

const taken = (error: unknown): never => {
  if (error instanceof NameTaken) throw unprocessable("Name must be unique per organization");
  throw error;
};
