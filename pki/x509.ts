import { createHash } from "node:crypto";
import { octets, oid, sequence, set, text, truth } from "./der.ts";

// What every certificate of ours is made of.

/** The algorithm of all signatures here, and of the authority's key. */
export const ed25519: Buffer = sequence(oid("1.3.101.112"));

/** A name of one part. */
export const commonName = (name: string): Buffer => sequence(set(sequence(oid("2.5.4.3"), text(name))));

/** Names a key, by its DER (SPKI). */
export const keyIdOf = (info: Buffer): Buffer => createHash("sha1").update(info).digest();

/** An extension that must be understood, and one that may be passed over. */
export const critical = (id: string, content: Buffer): Buffer => sequence(oid(id), truth, octets(content));
export const plain = (id: string, content: Buffer): Buffer => sequence(oid(id), octets(content));

export function pem(der: Buffer): string {
  const lines = der.toString("base64").match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join("\n")}\n-----END CERTIFICATE-----\n`;
}
