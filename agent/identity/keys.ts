import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import { chmod, mkdir } from "node:fs/promises";
import { newSeed, publicKeyOf } from "../bus/nkeys.ts";
import { Fault } from "../run/fault.ts";
import { type IdentityFiles, keep } from "./files.ts";

/** The two keys of a node, made at its first boot. */
export interface NodeKeys {
  /** Secret of its key on the bus. */
  readonly seed: string;
  /** `U…` */
  readonly key: string;
  /** PEM (PKCS #8). */
  readonly tlsKey: string;
  /** PEM (SPKI). */
  readonly tlsPublic: string;
}

/** The keys that are there; those that are missing are made. Several agents may ask at once: all get the same. */
export async function nodeKeys(files: IdentityFiles): Promise<NodeKeys> {
  await mkdir(files.directory, { recursive: true, mode: 0o700 });
  await chmod(files.directory, 0o700);
  const seed = (await keep(files.seed, () => `${newSeed()}\n`)).trim();
  const tlsKey = await keep(files.tlsKey, newTlsKey);
  return {
    seed,
    tlsKey,
    key: readable(files.seed, () => publicKeyOf(seed)),
    tlsPublic: readable(files.tlsKey, () => publicText(tlsKey)),
  };
}

function newTlsKey(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }).toString();
}

function publicText(tlsKey: string): string {
  return createPublicKey(createPrivateKey(tlsKey)).export({ type: "spki", format: "pem" }).toString();
}

function readable<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (cause) {
    const hint = `a core knows this node by it. If it cannot be brought back, move ${file} away and give the node a new claim`;
    throw new Fault(`${file} holds no key`, { code: "key_unreadable", hint, cause });
  }
}
