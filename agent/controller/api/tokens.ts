import { createHash, randomUUID } from "node:crypto";
import { jwtVerify, SignJWT } from "jose";
import type { User } from "../records.ts";

/** Seconds. The refresh token of a person who is away longer is worth nothing: they log in again. */
export const lifetime = { access: 1199, refresh: 30 * 24 * 3600 };

export const scopes = [
  "openid",
  "uaa.user",
  "cloud_controller.read",
  "cloud_controller.write",
  "password.write",
] as const;
const adminScopes = ["cloud_controller.admin", "scim.read", "scim.write", "doppler.firehose"] as const;

/** What a token says when it is believed. */
export interface Claims {
  user: string;
  /** Changes with the password: a token from before is not believed. */
  mark: string;
  use: "access" | "refresh";
  raw: Record<string, unknown>;
}

export interface Tokens {
  access(user: User, base: string): Promise<{ token: string; jti: string }>;
  refresh(user: User, base: string): Promise<string>;
  /** The claims, or undefined when the token is not ours, has been changed or has expired. */
  read(token: string): Promise<Claims | undefined>;
}

export const markOf = (user: User): string => createHash("sha256").update(user.passwordHash).digest("hex").slice(0, 16);

export const scopesOf = (user: User): string[] => [...scopes, ...(user.admin ? adminScopes : [])];

/** Tokens in the shape of UAA's, signed with the key that all controllers share (base64). */
export function tokens(key: string): Tokens {
  const secret = Buffer.from(key, "base64");
  const sign = (user: User, base: string, rest: { jti: string; seconds: number; claims: Record<string, unknown> }) =>
    new SignJWT({ ...claimsOf(user), ...rest.claims, jti: rest.jti })
      .setProtectedHeader({ alg: "HS256", typ: "JWT", kid: "key-1" })
      .setSubject(user.guid)
      .setIssuer(`${base}/oauth/token`)
      .setAudience(["cloud_controller", "password", "cf", "uaa", "openid"])
      .setIssuedAt()
      .setExpirationTime(`${rest.seconds} seconds from now`)
      .sign(secret);
  return {
    async access(user, base) {
      const jti = randomUUID().replaceAll("-", "");
      const claims = { scope: scopesOf(user), grant_type: "password" };
      return { jti, token: await sign(user, base, { jti, seconds: lifetime.access, claims }) };
    },
    refresh: (user, base) =>
      sign(user, base, { jti: `${randomUUID().replaceAll("-", "")}-r`, seconds: lifetime.refresh, claims: {} }),
    async read(token) {
      try {
        const { payload } = await jwtVerify(token, secret, { algorithms: ["HS256"], audience: "cloud_controller" });
        const use = payload.jti?.endsWith("-r") ? "refresh" : "access";
        return { user: payload.sub ?? "", mark: String(payload["rev_sig"]), use, raw: payload };
      } catch {
        return undefined;
      }
    },
  };
}

function claimsOf(user: User): Record<string, unknown> {
  return {
    user_id: user.guid,
    user_name: user.username,
    email: user.username,
    origin: "uaa",
    client_id: "cf",
    cid: "cf",
    azp: "cf",
    zid: "uaa",
    rev_sig: markOf(user),
  };
}
