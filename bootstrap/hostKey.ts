import { createHash } from "node:crypto";

/** A machine's public key, as ssh shows it. */
export interface HostKey {
  /** `ssh-ed25519`, `ecdsa-sha2-nistp256` … */
  readonly type: string;
  /** The key as it goes over the wire, base64. */
  readonly blob: string;
  /** `SHA256:…`, as ssh-keygen -l prints it. */
  readonly fingerprint: string;
}

/** Kind of key → what it may sign with, and how many fields it has on the wire. What is not listed is not trusted. */
const kinds: Readonly<Record<string, { readonly signs: readonly string[]; readonly fields: number }>> = {
  "ssh-ed25519": { signs: ["ssh-ed25519"], fields: 2 },
  "ecdsa-sha2-nistp256": { signs: ["ecdsa-sha2-nistp256"], fields: 3 },
  "ecdsa-sha2-nistp384": { signs: ["ecdsa-sha2-nistp384"], fields: 3 },
  "ecdsa-sha2-nistp521": { signs: ["ecdsa-sha2-nistp521"], fields: 3 },
  // The same key, but no longer with SHA-1.
  "ssh-rsa": { signs: ["rsa-sha2-512", "rsa-sha2-256"], fields: 3 },
};

export function hostKeyOf(wire: Buffer): HostKey {
  const [type = Buffer.alloc(0)] = fieldsOf(wire) ?? [];
  const digest = createHash("sha256").update(wire).digest("base64").replace(/=+$/, "");
  return { type: type.toString("latin1"), blob: wire.toString("base64"), fingerprint: `SHA256:${digest}` };
}

/** `type base64` → a key; undefined when it is not whole, or of a kind that is not known. */
export function readHostKey(type: string, base64: string): HostKey | undefined {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(base64) || base64.length % 4 !== 0) return undefined;
  const wire = Buffer.from(base64, "base64");
  const fields = fieldsOf(wire);
  const whole = fields?.[0]?.toString("latin1") === type && fields.length === kinds[type]?.fields;
  const filled = fields?.every(({ length }) => length > 0);
  const sized = type !== "ssh-ed25519" || fields?.[1]?.length === 32;
  return whole && filled && sized ? hostKeyOf(wire) : undefined;
}

/** The strings that the wire format is made of; undefined when the last one is cut off. */
function fieldsOf(wire: Buffer): Buffer[] | undefined {
  const fields: Buffer[] = [];
  let at = 0;
  while (at + 4 <= wire.length) {
    const end = at + 4 + wire.readUInt32BE(at);
    if (end > wire.length) return undefined;
    fields.push(wire.subarray(at + 4, end));
    at = end;
  }
  return at === wire.length ? fields : undefined;
}

export const sameKey = (one: HostKey, other: HostKey): boolean => one.blob === other.blob;

/** Every algorithm that a host may prove itself with, the best first. */
export const everyAlgorithm: readonly string[] = Object.values(kinds).flatMap(({ signs }) => signs);

/**
 * The algorithms of keys that are known: only these are offered, so that nobody in between can have another kind of key
 * negotiated than the one that would be compared.
 */
export function algorithmsFor(keys: readonly HostKey[]): string[] {
  const known = new Set(keys.map(({ type }) => type));
  return Object.entries(kinds).flatMap(([type, { signs }]) => (known.has(type) ? signs : []));
}

/** `SHA256:… (ED25519)`, as people compare them. */
export function describe({ fingerprint, type }: HostKey): string {
  return `${fingerprint} (${type.replace(/^ssh-|-sha2-nistp\d+$/g, "").toUpperCase()})`;
}
