import * as crypto from "node:crypto";
import { promisify } from "node:util";
import { bounded } from "./bounded.ts";

export interface Passwords {
  /** A text to keep instead of the password, with the method and its cost inside. */
  hash(password: string): Promise<string>;
  /** Whether the password belongs to the hash. Without a hash it takes as long and is false. */
  verify(password: string, hash: string | undefined): Promise<boolean>;
}

/** Each hash takes 64 MiB: more than this many at a time would let a few clients use up the machine. */
const atOnce = 2;
const argon = { memory: 65_536, passes: 3, parallelism: 1, tagLength: 32 };
const scrypt = { N: 65_536, r: 8, p: 1, maxmem: 128 * 1024 * 1024 };

type Argon2 = (how: "argon2id", options: typeof argon & { message: Buffer; nonce: Buffer }) => Promise<Buffer>;

/** Node before 24.7 has no argon2: there scrypt with the same memory stands in. */
const argon2: Argon2 | undefined =
  "argon2" in crypto && typeof crypto.argon2 === "function" ? (promisify(crypto.argon2) as Argon2) : undefined;
const scryptAsync = promisify<Buffer, Buffer, number, typeof scrypt, Buffer>(crypto.scrypt);

export function passwords(): Passwords {
  const turn = bounded(atOnce);
  const derive = (method: string, password: string, salt: Buffer) =>
    turn(() => (method === "argon2id" ? withArgon(password, salt) : scryptAsync(bytes(password), salt, 32, scrypt)));
  const hash = async (password: string) => {
    const salt = crypto.randomBytes(16);
    const method = argon2 ? "argon2id" : "scrypt";
    return `$${method}$${salt.toString("base64")}$${(await derive(method, password, salt)).toString("base64")}`;
  };
  const decoy = crypto.randomBytes(32).toString("base64");
  return {
    hash,
    async verify(password, kept) {
      const [, method = "", salt = "", tag = ""] = (kept ?? `$${argon2 ? "argon2id" : "scrypt"}$${decoy}$${decoy}`).split("$");
      const derived = await derive(method, password, Buffer.from(salt, "base64"));
      const expected = Buffer.from(tag, "base64");
      return expected.length === derived.length && crypto.timingSafeEqual(expected, derived) && kept !== undefined;
    },
  };
}

const bytes = (password: string) => Buffer.from(password.normalize("NFKC"));

function withArgon(password: string, nonce: Buffer): Promise<Buffer> {
  if (!argon2) throw new Error("this Node has no argon2: run the agent with Node 24.7 or newer");
  return argon2("argon2id", { ...argon, message: bytes(password), nonce });
}
