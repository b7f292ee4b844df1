import { generateKeyPairSync } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

export interface KeyFiles {
  /** PEM (PKCS #1), which every ssh reads. */
  readonly secret: string;
  /** One line, as in authorized_keys. */
  readonly open: string;
}

/** A key for ssh that this rehearsal alone uses. RSA, as EC2 takes no others but Ed25519, which has no form that both node and ssh write. */
export function makeKey(folder: string): KeyFiles {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const { n = "", e = "" } = publicKey.export({ format: "jwk" });
  const blob = Buffer.concat([
    text("ssh-rsa"),
    number(Buffer.from(e, "base64url")),
    number(Buffer.from(n, "base64url")),
  ]);
  const files = { secret: join(folder, "id_rsa"), open: join(folder, "id_rsa.pub") };
  writeFileSync(files.secret, privateKey.export({ type: "pkcs1", format: "pem" }), { mode: 0o600 });
  writeFileSync(files.open, `ssh-rsa ${blob.toString("base64")} rehearsal\n`, { mode: 0o600 });
  return files;
}

/** RFC 4251: a length in four bytes, then the bytes. */
function field(bytes: Buffer): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

const text = (value: string): Buffer => field(Buffer.from(value));

/** A zero in front where the first bit would be a sign. */
const number = (bytes: Buffer): Buffer =>
  field((bytes[0] ?? 0) & 0x80 ? Buffer.concat([Buffer.from([0]), bytes]) : bytes);
