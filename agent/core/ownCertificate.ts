import { createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes } from "node:crypto";
import { link, open, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Authority } from "../../pki/authority.ts";
import { issueLeaf, outworn } from "../../pki/leaf.ts";

export interface OwnFacts {
  readonly authority: Authority;
  /** Directory of the identity. */
  readonly identity: string;
  readonly node: string;
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

export interface OwnCertificate {
  readonly files: { readonly key: string; readonly certificate: string };
  /** PEM. */
  readonly text: string;
  /** PEM (PKCS #8). */
  readonly key: string;
}

/** The certificate of a core's own node, which it issues itself: made anew when time or address want it. */
export async function ownCertificate(facts: OwnFacts): Promise<OwnCertificate> {
  const files = { key: join(facts.identity, "tls.key"), certificate: join(facts.identity, "tls.crt") };
  const key = await kept(files.key);
  const there = await contentOf(files.certificate);
  if (there && !outworn(there, facts) && isFor(there, publicText(key))) return { files, text: there, key };
  const text = issueLeaf({ ...facts, key: publicText(key) });
  await rename(await draft(files.certificate, text), files.certificate);
  return { files, text, key };
}

function isFor(certificate: string, key: string): boolean {
  return createPublicKey(certificate).export({ type: "spki", format: "pem" }).toString() === key;
}

function publicText(key: string): string {
  return createPublicKey(createPrivateKey(key)).export({ type: "spki", format: "pem" }).toString();
}

/** The key that is there; a missing one appears with its whole content, and of several makers the first one wins. */
async function kept(file: string): Promise<string> {
  const there = await contentOf(file);
  if (there) return there;
  const key = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  const made = await draft(file, key);
  try {
    await link(made, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(made, { force: true });
  }
  return await readFile(file, "utf8");
}

async function draft(file: string, text: string): Promise<string> {
  const name = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const handle = await open(name, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return name;
}

async function contentOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}
