import { z } from "zod";
import { NameTaken } from "../names.ts";
import type { Role, User } from "../records.ts";
import { type Api, type Call, created, type Endpoint, get, post, remove } from "./api.ts";
import { parse } from "./body.ts";
import { badQuery, found, unprocessable } from "./errors.ts";
import { fresh } from "./fresh.ts";
import { accepted } from "./jobs.ts";
import { by, type Listing, page, select } from "./list.ts";
import { head, relation, showOrganization, showSpace } from "./showTenancy.ts";
import { showUser } from "./users.ts";

// Roles are written down and shown. What they permit is decided in authorize.ts, where only admins count so far.

const ofOrganization = [
  "organization_user",
  "organization_auditor",
  "organization_manager",
  "organization_billing_manager",
];
const ofSpace = ["space_developer", "space_auditor", "space_manager", "space_supporter"];
const one = z.strictObject({
  data: z.strictObject({ guid: z.string().optional(), username: z.string().optional(), origin: z.string().optional() }),
});
const creation = z.strictObject({
  type: z.enum([...ofOrganization, ...ofSpace], { error: "must be one of the allowed types" }),
  relationships: z.strictObject({
    user: one,
    organization: z.strictObject({ data: z.strictObject({ guid: z.string() }) }).optional(),
    space: z.strictObject({ data: z.strictObject({ guid: z.string() }) }).optional(),
  }),
});

const includes = ["user", "organization", "space"];
const listing: Listing<Role> = {
  filters: {
    types: by((role) => role.type),
    user_guids: by((role) => role.user),
    space_guids: by((role) => role.space),
    organization_guids: by((role) => role.organization),
  },
  includes,
};

export const roles = (api: Api): Endpoint[] => [
  get("/v3/roles", (call) => index(api, call)),
  post("/v3/roles", async (call) => created(showRole(await create(api, call), call))),
  get("/v3/roles/:guid", async (call) => showRole(await roleOf(api, call), call)),
  remove("/v3/roles/:guid", async (call) => {
    const { guid } = await roleOf(api, call);
    const run = () => api.tables.roles.delete(guid);
    return await accepted(api, call, { operation: "role.delete", kind: "role", resource: guid, run });
  }),
];

async function roleOf({ tables }: Api, { params }: Call): Promise<Role> {
  return found(await tables.roles.find(params["guid"] ?? ""), "Role");
}

function index(api: Api, call: Call) {
  const { tables } = api;
  const { pagination, records } = page(select(tables.roles.all(), call.query, listing), call);
  const asked = call.query["include"]?.split(",") ?? [];
  if (asked.some((name) => !includes.includes(name)))
    throw badQuery(`Invalid included resource. Valid included resources are: '${includes.join("', '")}'`);
  const all = <T>(guids: (string | undefined)[], get: (guid: string) => T | undefined) =>
    [...new Set(guids)].flatMap((guid) => (guid && get(guid)) || []);
  const included = {
    ...(asked.includes("user") && {
      users: all(
        records.map((r) => r.user),
        tables.users.get,
      ).map((u) => showUser(u, call)),
    }),
    ...(asked.includes("organization") && {
      organizations: all(
        records.map((r) => r.organization),
        tables.organizations.get,
      ).map((o) => showOrganization(o, call)),
    }),
    ...(asked.includes("space") && {
      spaces: all(
        records.map((r) => r.space),
        tables.spaces.get,
      ).map((s) => showSpace(s, call)),
    }),
  };
  return { pagination, resources: records.map((role) => showRole(role, call)), ...(asked.length > 0 && { included }) };
}

async function create(api: Api, call: Call): Promise<Role> {
  const { type, relationships } = parse(creation, call.body);
  const { space, organization } = relationships;
  const user = userOf(api, relationships.user.data);
  const where = ofSpace.includes(type) ? { space: space?.data.guid } : { organization: organization?.data.guid };
  const there = where.space
    ? await api.tables.spaces.find(where.space)
    : await api.tables.organizations.find(where.organization ?? "");
  if (!there)
    throw unprocessable(
      `Invalid ${where.space ? "space" : "organization"}. Ensure it exists and you have access to it.`,
    );
  return await api.tables.roles.insert({ ...fresh(), type, user: user.guid, ...where }).catch((error: unknown) => {
    if (!(error instanceof NameTaken)) throw error;
    throw unprocessable(
      `User '${user.username}' already has '${type}' role in ${where.space ? "space" : "organization"} '${there.name}'.`,
    );
  });
}

function userOf(
  { tables }: Api,
  { guid, username }: { guid?: string | undefined; username?: string | undefined },
): User {
  const user = guid
    ? tables.users.get(guid)
    : tables.users.all().find((each) => each.username === username?.toLowerCase());
  if (!user) throw unprocessable(`No user exists with the ${guid ? "guid" : "username"} '${guid ?? username}'.`);
  return user;
}

function showRole(role: Role, { href }: Call) {
  return {
    ...head(role),
    type: role.type,
    relationships: {
      user: relation(role.user),
      organization: relation(role.organization),
      space: relation(role.space),
    },
    links: {
      self: href(`/v3/roles/${role.guid}`),
      user: href(`/v3/users/${role.user}`),
      ...(role.space
        ? { space: href(`/v3/spaces/${role.space}`) }
        : { organization: href(`/v3/organizations/${role.organization}`) }),
    },
  };
}
