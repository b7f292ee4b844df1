import { StoreConflict } from "../../store/conflict.ts";
import { NameTaken } from "../names.ts";
import type { License } from "../records.ts";
import type { Api } from "./api.ts";
import { noMetadata } from "./body.ts";
import { fresh } from "./fresh.ts";

export interface Claim {
  email: string;
  password: string;
}
export type Outcome = "done" | "already done" | "taken by another" | "wait";
type Parts = Pick<Api, "tables" | "passwords" | "throttle" | "domain">;

/** Where the first user begins. */
const first = { organization: "tutti", space: "dev" };

/**
 * Makes the first user, unless there is one. Of many at the same time, on however many controllers, the one whose
 * record is written first wins; everything else follows from that record and can be made again after a crash.
 */
export async function claim(api: Parts, wanted: Claim): Promise<Outcome> {
  const { tables } = api;
  const taken = await tables.license.get("license");
  if (taken) return await again(api, taken.value, wanted);
  const { guid, created_at: at } = fresh();
  const license = { user: guid, email: wanted.email, at, passwordHash: await api.passwords.hash(wanted.password) };
  try {
    await tables.license.create("license", license);
  } catch (error) {
    if (!(error instanceof StoreConflict)) throw error;
    const winner = await tables.license.get("license");
    if (!winner) throw error;
    return await again(api, winner.value, wanted);
  }
  await complete(api);
  return "done";
}

/** Who comes second: the same person again, or somebody else? */
async function again(api: Parts, { user, email, passwordHash }: License, wanted: Claim): Promise<Outcome> {
  if (wanted.email !== email) return "taken by another";
  if (api.throttle.attempt(email, Date.now()) > 0) return "wait";
  const hash = (await api.tables.users.find(user))?.passwordHash ?? passwordHash;
  if (!(await api.passwords.verify(wanted.password, hash))) return "taken by another";
  api.throttle.passed(email);
  await complete(api);
  return "already done";
}

/** Makes what the license step promises and is not there yet: user, organization, space and shared domain. */
export async function complete({ tables, domain }: Pick<Parts, "tables" | "domain">): Promise<void> {
  const entry = await tables.license.get("license");
  if (!entry?.value.passwordHash) return;
  const { user, email: username, passwordHash } = entry.value;
  const metadata = noMetadata;
  await unlessThere(tables.users.insert({ ...fresh(user), username, passwordHash, admin: true }));
  const { name } = { name: first.organization };
  const made = await unlessThere(tables.organizations.insert({ ...fresh(), name, suspended: false, metadata }));
  const organization = made?.guid ?? tables.organizations.all().find((one) => one.name === name)?.guid;
  if (organization)
    await unlessThere(tables.spaces.insert({ ...fresh(), name: first.space, organization, metadata }));
  await unlessThere(tables.domains.insert({ ...fresh(), name: domain, internal: false, metadata }));
  // From here on the password is known from the user alone.
  await tables.license.update("license", (old) => old && { ...old, passwordHash: undefined });
}

async function unlessThere<T>(insert: Promise<T>): Promise<T | undefined> {
  try {
    return await insert;
  } catch (error) {
    if (error instanceof NameTaken || error instanceof StoreConflict) return undefined;
    throw error;
  }
}

/** What the first user is told to begin with. */
export async function ownerOf({ tables, domain }: Pick<Parts, "tables" | "domain">) {
  const entry = await tables.license.get("license");
  return { email: entry?.value.email, user: entry?.value.user, organization: first.organization, space: first.space, domain };
}
