import { randomBytes } from "node:crypto";
import { link, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { newSeed } from "../bus/nkeys.ts";
import { type BusUser, busUsers } from "../bus/permissions.ts";

type Party = Exclude<BusUser, "watch">;

/** The secrets of the users of the bus. */
export interface CoreCredentials {
  /** Seed of each party of the table, for `dial({ user, seed })`. */
  readonly seeds: Readonly<Record<Party, string>>;
  /** The operator's pair of eyes: hears everything but the store, says what tools say. */
  readonly watch: { readonly user: "watch"; readonly password: string };
}

/** The parties that have a key of their own. */
export const parties = busUsers.filter((user): user is Party => user !== "watch");

/** The secrets kept under the core's `home`; those that are missing are made. Several processes may ask at once. */
export async function coreCredentials(home: string): Promise<CoreCredentials> {
  const directory = join(home, "keys");
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const seeds = await Promise.all(
    parties.map(async (party) => [party, await secret(join(directory, `${party}.nk`), newSeed)] as const),
  );
  const password = await secret(join(directory, "watch.password"), () => randomBytes(18).toString("base64url"));
  return { seeds: Object.fromEntries(seeds) as Record<Party, string>, watch: { user: "watch", password } };
}

/** What the file holds; a missing one appears at once with its whole content, and the first maker wins. */
async function secret(file: string, make: () => string): Promise<string> {
  const known = await contentOf(file);
  if (known) return known;
  const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  await writeFile(draft, `${make()}\n`, { mode: 0o600, flush: true });
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(draft, { force: true });
  }
  return (await contentOf(file)) ?? "";
}

async function contentOf(file: string): Promise<string | undefined> {
  try {
    return (await readFile(file, "utf8")).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
