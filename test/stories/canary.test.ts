import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { pulumi } from "../../infra/run/engine.ts";
import { findEngine, type Site } from "../../infra/run/site.ts";
import { authorityOf } from "../../pki/authority.ts";
import { offline } from "../../rehearsal/offline.ts";
import { type OfflineCluster, offlineCluster, processesWith, userData } from "../support/offlineCluster.ts";

// A value that is found nowhere else is put into each secret, and then looked for everywhere.

const accountKey = "canary-account-5f3a9c71d2";
let our: OfflineCluster;
let site: Site;
/** Name → what must not be found. */
const secrets = new Map<string, string>();
/** All command lines that were seen while it worked. */
const lines = new Set<string>();

beforeAll(async () => {
  our = await offlineCluster();
  await our.write("trio");
  await our.tutti("preview");
  site = siteOf(our);
  await pulumi(site, ["config", "set", "--secret", "aws:secretKey", accountKey, "--stack", "dev"]);
  await watching(() => our.good("up"));
  await our.good("refresh");
  await learn();
}, 180_000);
afterAll(() => our?.gone());

/** The stack as the command works on it: here only to plant a secret and to read the others. */
function siteOf({ me, there }: OfflineCluster): Site {
  const home = join(me.home, "offline");
  const { env } = offline({ folder: join(home, "engine"), url: there.api.url });
  const program = findEngine(env["PATH"] ?? "") ?? "";
  return { program, folder: join(home, "clusters/trio"), stack: "dev", env };
}

async function watching(act: () => Promise<unknown>): Promise<void> {
  const work = { done: false };
  const watch = (async () => {
    while (!work.done) {
      for (const { argv } of await processesWith(our.me.home)) lines.add(argv);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  })();
  await act().finally(() => {
    work.done = true;
  });
  await watch;
}

interface Exported {
  deployment: { resources: { type: string; outputs?: Record<string, { plaintext?: string } | string> }[] };
}

async function learn(): Promise<void> {
  const { out } = await pulumi(site, ["stack", "export", "--show-secrets", "--stack", "dev"]);
  const { deployment } = JSON.parse(out) as Exported;
  const kept = deployment.resources.find(({ type }) => type.endsWith("infra:Seed"))?.outputs ?? {};
  const seed = kept["seed"];
  const plain = typeof seed === "object" ? (JSON.parse(seed.plaintext ?? '""') as string) : "";
  const { join: secret, key } = authorityOf({ cluster: "trio", seed: plain, created: String(kept["created"]) });
  secrets.set("the seed", plain);
  secrets.set("the join secret", secret);
  secrets.set("the authority's key", key.split("\n")[1] ?? "");
  secrets.set("the account's key", accountKey);
  secrets.set("the state's passphrase", await readFile(join(our.me.home, "offline/engine/passphrase"), "utf8"));
}

/** Names of the secrets that are in a text, as they are or in base64. */
function found(text: string): string[] {
  const bare = (value: string) => Buffer.from(value).toString("base64").replace(/=+$/, "").slice(0, -1);
  return [...secrets].filter(([, value]) => text.includes(value) || text.includes(bare(value))).map(([name]) => name);
}

describe("what must stay secret", { timeout: 60_000 }, () => {
  it("is known to this test", () => {
    for (const [name, value] of secrets) expect(value.length, name).toBeGreaterThan(20);
    expect(found(`${accountKey} and more`)).toEqual(["the account's key"]);
  });

  it("is in no machine's user data; of what is there only the claim is worth anything", async () => {
    const texts = (await userData(our.there)).map((data) => gunzipSync(data).toString("latin1"));
    expect(texts).toHaveLength(3);
    for (const text of texts) expect(found(text)).toEqual([]);
  });

  it("is in nothing that is kept on disk but the passphrase's own file", async () => {
    const entries = await readdir(our.me.home, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile()).map(({ parentPath, name }) => join(parentPath, name));
    expect(files.filter((file) => file.includes(".pulumi/stacks")).length).toBeGreaterThan(0);
    const leaky = await Promise.all(files.map(async (file) => [file, found(await readFile(file, "latin1"))] as const));
    const open = leaky.filter(([, names]) => names.length > 0).map(([file, names]) => `${file}: ${names}`);
    expect(open).toEqual([expect.stringMatching(/engine\/passphrase: the state's passphrase$/)]);
  });

  it("is in no output of any command, with JSON or without", async () => {
    await our.tutti("preview");
    expect(found(our.printed.join("\n"))).toEqual([]);
  });

  it("is in no command line", () => {
    expect([...lines].some((line) => /pulumi up/.test(line))).toBe(true);
    expect([...lines].flatMap(found)).toEqual([]);
  });
});
