import { createPrivateKey, createPublicKey, hkdfSync, type KeyObject, sign } from "node:crypto";
import { bits, integer, octets, oid, sequence, tagged, time, truth, value } from "./der.ts";
import { commonName, critical, ed25519, keyIdOf, pem } from "./x509.ts";

/** What the cluster's seed stands for. All but the certificate is secret. */
export interface Authority {
  /** PEM of the certificate of the cluster's own authority. */
  readonly certificate: string;
  /** PEM (PKCS #8) of its key. */
  readonly key: string;
  /** What claims are made with. */
  readonly join: string;
}

export interface SeedFacts {
  readonly cluster: string;
  /** 32 random bytes, base64. */
  readonly seed: string;
  /** When it was made: the certificate begins a day earlier, because clocks differ. */
  readonly created: string;
}

const day = 24 * 60 * 60 * 1000;
const years = 10;

/**
 * One seed is kept, everything else follows from it: Ed25519 keys are any 32 bytes and its signatures have no chance in
 * them, so the same seed gives the same certificate to the byte, at every run of the program and on every machine.
 * node:crypto reads certificates and signs, but writes none; this one shape is short enough to be written here.
 */
export function authorityOf({ cluster, seed, created }: SeedFacts): Authority {
  const key = privateKey(derive(seed, "authority"));
  return {
    certificate: certificate(key, cluster, new Date(created)),
    key: key.export({ type: "pkcs8", format: "pem" }).toString(),
    join: derive(seed, "join").toString("base64url"),
  };
}

function derive(seed: string, purpose: string): Buffer {
  return Buffer.from(hkdfSync("sha256", Buffer.from(seed, "base64"), "tutti", purpose, 32));
}

/** RFC 8410: the key of PKCS #8 is the 32 bytes in an octet string in an octet string. */
function privateKey(bytes: Buffer): KeyObject {
  const der = sequence(integer(Buffer.from([0])), ed25519, octets(octets(bytes)));
  return createPrivateKey({ key: der, format: "der", type: "pkcs8" });
}

function certificate(key: KeyObject, cluster: string, created: Date): string {
  const info = createPublicKey(key).export({ type: "spki", format: "der" });
  const keyId = keyIdOf(info);
  const name = commonName(`tutti ${cluster}`);
  const from = new Date(created.getTime() - day);
  const until = new Date(created.getTime() + years * 365 * day);
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(keyId.subarray(0, 8)),
    ed25519,
    name,
    sequence(time(from), time(until)),
    name,
    info,
    tagged(3, sequence(...extensions(keyId))),
  );
  return pem(sequence(body, ed25519, bits(sign(null, body, key))));
}

/** An authority for leaves only: it signs certificates of nodes, and no further authorities. */
function extensions(keyId: Buffer): Buffer[] {
  return [
    critical("2.5.29.19", sequence(truth, integer(Buffer.from([0])))),
    // keyCertSign and cRLSign: bits 5 and 6 of the first byte.
    critical("2.5.29.15", bits(Buffer.from([0b0000_0110]), 1)),
    sequence(oid("2.5.29.14"), octets(octets(keyId))),
    sequence(oid("2.5.29.35"), octets(sequence(value(0x80, keyId)))),
  ];
}
