import { createHash } from "node:crypto";
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
  const passwordHash = await api.passwords.hash(wanted.password);
  try {
    await tables.license.create("license", { user: guid, email: wanted.email, at, passwordHash });
  } catch (error) {
    const winner = error instanceof StoreConflict ? await tables.license.get("license") : undefined;
    if (!winner) throw error;
    return await again(api, winner.value, wanted);
  }
  await complete(api);
  return "done";
}

/** Who comes second: the same person again, or somebody else? */
async function again(api: Parts, { user, email, passwordHash }: License, wanted: Claim): Promise<Outcome> {
  if (wanted.email !== email) return "taken by another";
  const hash = (await api.tables.users.find(user))?.passwordHash ?? passwordHash;
  const passed = await api.throttle.attempt(email, () => api.passwords.verify(wanted.password, hash));
  if (typeof passed === "number") return "wait";
  if (!passed) return "taken by another";
  await complete(api);
  return "already done";
}

/** Makes what the license step promises and is not there yet: user, organization, space and shared domain. */
export async function complete({ tables, domain: name }: Pick<Parts, "tables" | "domain">): Promise<void> {
  const license = (await tables.license.get("license"))?.value;
  if (!license?.passwordHash) return;
  const { user, email: username, passwordHash } = license;
  // Whoever does this, and however often, makes the same records: only one of each can stand.
  const organization = derived(user, "organization");
  const metadata = noMetadata;
  await once(tables.users.insert({ ...fresh(user), username, passwordHash, admin: true }));
  await once(
    tables.organizations.insert({ ...fresh(organization), name: first.organization, suspended: false, metadata }),
  );
  await once(tables.spaces.insert({ ...fresh(derived(user, "space")), name: first.space, organization, metadata }));
  await once(tables.domains.insert({ ...fresh(derived(user, "domain")), name, internal: false, metadata }));
  // From here on the password is known from the user alone.
  await tables.license.update("license", (old) => old && { ...old, passwordHash: undefined });
}

function derived(user: string, what: string): string {
  const hex = createHash("sha256").update(`${user}/${what}`).digest("hex");
  return hex.slice(0, 32).replace(/(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}

async function once(insert: Promise<unknown>): Promise<void> {
  await insert.catch((error: unknown) => {
    if (!(error instanceof NameTaken || error instanceof StoreConflict)) throw error;
  });
}

/** What the first user is told to begin with. */
export async function ownerOf({ tables, domain }: Pick<Parts, "tables" | "domain">) {
  const { email, user } = (await tables.license.get("license"))?.value ?? {};
  return { email, user, organization: first.organization, space: first.space, domain };
}
