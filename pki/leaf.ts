import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import type { Authority } from "./authority.ts";
import { bits, integer, octets, oid, parts, sequence, tagged, time, value } from "./der.ts";
import { commonName, critical, ed25519, keyIdOf, pem, plain } from "./x509.ts";

export interface LeafFacts {
  readonly authority: Pick<Authority, "certificate" | "key">;
  /** PEM (SPKI) of the node's public key: Ed25519 or P-256. */
  readonly key: string;
  /** Node id: the certificate's name, and one of those that it answers to. */
  readonly node: string;
  /** IP at which the others reach the node. */
  readonly address: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

const day = 24 * 60 * 60 * 1000;
const lifetime = 365 * day;
/** Renewed when a third is left: a node that is away for months still comes back with a good one. */
const early = lifetime / 3;

/**
 * The certificate (PEM) of a node, for serving and for calling: good for its id, its address, and the machine itself.
 * Throws TypeError when the key or the address is none that we take.
 */
export function issueLeaf({ authority, key, node, address, now }: LeafFacts): string {
  const info = publicKey(key).export({ type: "spki", format: "der" });
  const issuer = new X509Certificate(authority.certificate);
  const issuerKey = issuer.publicKey.export({ type: "spki", format: "der" });
  const body = sequence(
    tagged(0, integer(Buffer.from([2]))),
    integer(randomBytes(16)),
    ed25519,
    subjectOf(issuer.raw),
    sequence(time(new Date(now - day)), time(new Date(now + lifetime))),
    commonName(node),
    info,
    tagged(3, sequence(...extensions(keyIdOf(info), keyIdOf(issuerKey)), names(node, address))),
  );
  return pem(sequence(body, ed25519, bits(sign(null, body, createPrivateKey(authority.key)))));
}

/** Whether a certificate should be made anew: another address, its time, another authority, or unreadable. */
export function outworn(certificate: string, { authority, node, address, now }: Omit<LeafFacts, "key">): boolean {
  try {
    const leaf = new X509Certificate(certificate);
    const issued = leaf.verify(new X509Certificate(authority.certificate).publicKey);
    const named = leaf.checkHost(node) !== undefined && leaf.checkIP(address) !== undefined;
    const young = now >= Date.parse(leaf.validFrom) && now < Date.parse(leaf.validTo) - early;
    return !(issued && named && young);
  } catch {
    return true;
  }
}

function publicKey(given: string): KeyObject {
  if (!given.trimStart().startsWith("-----BEGIN PUBLIC KEY-----")) throw new TypeError("not a public key in PEM");
  const key = createPublicKey(given);
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key;
  if (type === "ed25519" || (type === "ec" && details?.namedCurve === "prime256v1")) return key;
  throw new TypeError(`a key of type ${type}: Ed25519 and P-256 are taken`);
}

/** The name of an authority as it stands in its certificate: version, serial, algorithm, issuer, validity, subject. */
function subjectOf(certificate: Buffer): Buffer {
  const [body = Buffer.alloc(0)] = parts(certificate);
  const subject = parts(body)[5];
  if (!subject) throw new TypeError("the authority's certificate cannot be read");
  return subject;
}

function extensions(keyId: Buffer, issuerKeyId: Buffer): Buffer[] {
  return [
    critical("2.5.29.19", sequence()),
    // digitalSignature: bit 0 of the first byte.
    critical("2.5.29.15", bits(Buffer.from([0b1000_0000]), 7)),
    plain("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.1"), oid("1.3.6.1.5.5.7.3.2"))),
    plain("2.5.29.14", octets(keyId)),
    plain("2.5.29.35", sequence(value(0x80, issuerKeyId))),
  ];
}

function names(node: string, address: string): Buffer {
  const hosts = [node, "localhost"].map((name) => value(0x82, Buffer.from(name, "latin1")));
  const addresses = [...new Set([address, "127.0.0.1"])].map((ip) => value(0x87, addressBytes(ip)));
  return plain("2.5.29.17", sequence(...hosts, ...addresses));
}

function addressBytes(ip: string): Buffer {
  const four = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/.exec(ip)?.slice(1).map(Number);
  if (four?.every((byte) => byte < 256)) return Buffer.from(four);
  const sides = ip.split("::").map((side) => side.split(":").filter(Boolean));
  const [left = [], right] = sides;
  const gap = right ? 8 - left.length - right.length : 0;
  const groups = [...left, ...Array<string>(Math.max(0, gap)).fill("0"), ...(right ?? [])];
  if (sides.length > 2 || groups.length !== 8 || !groups.every((group) => /^[\da-f]{1,4}$/i.test(group)))
    throw new TypeError(`${ip} is no IP address`);
  return Buffer.from(groups.map((group) => group.padStart(4, "0")).join(""), "hex");
}
