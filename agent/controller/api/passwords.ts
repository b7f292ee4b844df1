import * as crypto from "node:crypto";
import { promisify } from "node:util";
import { bounded } from "./bounded.ts";

export interface Passwords {
  /** A text to keep instead of the password: `$method$cost$salt$tag`. */
  hash(password: string): Promise<string>;
  /** Whether the password belongs to the hash. Without a hash it takes as long and is false. */
  verify(password: string, hash: string | undefined): Promise<boolean>;
}

/** Each hash takes 64 MiB: more than this many at a time would let a few clients use up the machine. */
const atOnce = 2;
const tagLength = 32;

interface Method {
  name: string;
  cost: string;
  derive(password: Buffer, salt: Buffer, cost: Record<string, number>): Promise<Buffer>;
}

const scrypt: Method = {
  name: "scrypt",
  cost: "N=65536,r=8,p=1",
  derive: (password, salt, { N = 65_536, r = 8, p = 1 }) =>
    promisify<Buffer, Buffer, number, crypto.ScryptOptions, Buffer>(crypto.scrypt)(password, salt, tagLength, {
      N,
      r,
      p,
      maxmem: 256 * N * r,
    }),
};

const argon: Method = {
  name: "argon2id",
  cost: "m=65536,t=3,p=1",
  derive: (message, nonce, { m = 65_536, t = 3, p = 1 }) =>
    promisify(crypto.argon2)("argon2id", { message, nonce, memory: m, passes: t, parallelism: p, tagLength }),
};

/** Node before 24.7 has no argon2: there scrypt with the same memory stands in. */
const methods: readonly [Method, ...Method[]] = "argon2" in crypto ? [argon, scrypt] : [scrypt];

/** `cost` of new hashes, in the words of the method; each hash is verified at the cost it was made with. */
export function passwords(cost: string = methods[0].cost): Passwords {
  const turn = bounded(atOnce);
  const best = { ...methods[0], cost };
  const decoy = kept(best, crypto.randomBytes(16), crypto.randomBytes(tagLength));
  return {
    async hash(password) {
      const salt = crypto.randomBytes(16);
      return kept(best, salt, await turn(() => best.derive(bytes(password), salt, costs(cost))));
    },
    async verify(password, hash) {
      const [, name, cost = "", salt = "", tag = ""] = (hash ?? decoy).split("$");
      const method = methods.find((one) => one.name === name);
      if (!method) throw new Error(`a password was hashed with ${name}, which this Node does not have`);
      const derived = await turn(() => method.derive(bytes(password), Buffer.from(salt, "base64"), costs(cost)));
      const expected = Buffer.from(tag, "base64");
      const same = expected.length === derived.length && crypto.timingSafeEqual(expected, derived);
      return same && hash !== undefined;
    },
  };
}

const kept = ({ name, cost }: Method, salt: Buffer, tag: Buffer) =>
  `$${name}$${cost}$${salt.toString("base64")}$${tag.toString("base64")}`;

/** However it was typed: the same letters are the same password. */
const bytes = (password: string) => Buffer.from(password.normalize("NFKC"));

function costs(text: string): Record<string, number> {
  return Object.fromEntries(text.split(",").map((pair) => [pair.split("=")[0], Number(pair.split("=")[1])]));
}
