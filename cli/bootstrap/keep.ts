import { createHash, randomBytes } from "node:crypto";
import {
  appendFileSync,
  existsSync,
  globSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import type { HostKey } from "../../bootstrap/hostKey.ts";
import { knownLines } from "../../bootstrap/knownHosts.ts";
import type { Receipt } from "../../bootstrap/receipt.ts";
import { rememberedAs, type Target } from "../../bootstrap/target.ts";
import { type Authority, authorityOf, type SeedFacts } from "../../pki/authority.ts";
import { tuttiHome } from "../cluster/offline/place.ts";
import { Fault } from "../fault.ts";

// What first contact leaves with the person: below ~/.tutti, for them only.

const folder = (env: NodeJS.ProcessEnv) => join(tuttiHome(env), "bootstrap");
const knownFile = (env: NodeJS.ProcessEnv) => join(tuttiHome(env), "known_hosts");

function readJson<T>(file: string): T | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return JSON.parse(readFileSync(file, "utf8")) as T;
  } catch (cause) {
    throw new Fault(`${file} cannot be read: ${(cause as Error).message}`, {
      ...{ code: "kept_unreadable", cause },
      hint: "look into it, and move it away if it is of no use",
    });
  }
}

/** Whole or not at all. */
function writeJson(file: string, value: object): void {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const fresh = `${file}.${randomBytes(6).toString("hex")}`;
  writeFileSync(fresh, `${JSON.stringify(value, undefined, 2)}\n`, { mode: 0o600 });
  renameSync(fresh, file);
}

/** Host keys that proved to be right before, in OpenSSH's format. */
export function keptKnownHosts(env: NodeJS.ProcessEnv): string {
  return existsSync(knownFile(env)) ? readFileSync(knownFile(env), "utf8") : "";
}

export function keepKnownHost(env: NodeJS.ProcessEnv, target: Target, keys: readonly HostKey[]): void {
  const file = knownFile(env);
  const there = keptKnownHosts(env);
  const lines = keys.map((key) => knownLines(rememberedAs(target), [key])).filter((line) => !there.includes(line));
  if (lines.length === 0) return;
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  appendFileSync(file, lines.join(""), { mode: 0o600 });
}

export interface KeptReceipt {
  readonly file: string;
  readonly receipt: Receipt;
}

/** The receipt of an earlier contact with one of these machines. */
export function receiptFor(env: NodeJS.ProcessEnv, nodes: readonly Target[]): KeptReceipt | undefined {
  const wanted = new Set(nodes.map(rememberedAs));
  for (const file of globSync(join(folder(env), "receipt-*.json")).sort()) {
    const receipt = readJson<Receipt>(file);
    if (receipt?.nodes.some(({ machine }) => wanted.has(machine))) return { file, receipt };
  }
  return undefined;
}

/** Resolves to the file. */
export function keepReceipt(env: NodeJS.ProcessEnv, receipt: Receipt, before: KeptReceipt | undefined): string {
  // Two clusters may have one name.
  const mark = digest(receipt.nodes.map(({ machine }) => machine));
  const file = before?.file ?? join(folder(env), `receipt-${receipt.cluster}-${mark}.json`);
  writeJson(file, receipt);
  return file;
}

const digest = (names: readonly string[]) =>
  createHash("sha256")
    .update([...names].sort().join(" "))
    .digest("hex")
    .slice(0, 8);

/** A password that was made up: kept before it is used and until it was shown, so that it cannot be lost in between. */
export interface Pending {
  readonly email?: string | undefined;
  readonly password: string;
}

function pendingFile(env: NodeJS.ProcessEnv, nodes: readonly Target[]): string {
  return join(folder(env), `pending-${digest(nodes.map(rememberedAs))}.json`);
}

export function pendingFor(env: NodeJS.ProcessEnv, nodes: readonly Target[]): Pending | undefined {
  return readJson<Pending>(pendingFile(env, nodes));
}

export function keepPending(env: NodeJS.ProcessEnv, nodes: readonly Target[], pending: Pending): void {
  writeJson(pendingFile(env, nodes), pending);
}

export function forgetPending(env: NodeJS.ProcessEnv, nodes: readonly Target[]): void {
  rmSync(pendingFile(env, nodes), { force: true });
}

/**
 * The authority of a cluster that is not on EC2: all of it follows from one seed, which is kept here and nowhere else.
 * Without one it is made only when `make` is true.
 */
export async function keptAuthority(
  env: NodeJS.ProcessEnv,
  cluster: string,
  make: boolean,
): Promise<Authority | undefined> {
  const file = join(folder(env), `authority-${cluster}.json`);
  const kept = readJson<SeedFacts>(file);
  if (kept) return authorityOf(kept);
  if (!make) return undefined;
  const facts = { cluster, seed: randomBytes(32).toString("base64"), created: new Date().toISOString() };
  writeJson(file, facts);
  return authorityOf(facts);
}
