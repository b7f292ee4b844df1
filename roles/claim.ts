import { createHmac, timingSafeEqual } from "node:crypto";
import type { Birth } from "./birth.ts";

/** What a new machine shows the core, once, to be let in. */
export type Claim = Birth["claim"];

/** Long enough for a slow boot, short enough that user data read a day later is worth nothing. */
const lifetime = 60 * 60 * 1000;

export interface ClaimOptions {
  /** The cluster's join secret. */
  readonly join: string;
  readonly node: string;
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * A claim needs no list anywhere: whoever has the join secret can make one and check one, so that each birth, be it the
 * first or a replacement a year later, gets a fresh one. The core has to remember the ids it has seen: they work once.
 */
export function makeClaim({ join, node, now }: ClaimOptions): Claim {
  const expires = new Date(now + lifetime).toISOString();
  const id = `${node}.${now.toString(36)}`;
  return { id, expires, secret: seal(join, { id, expires }) };
}

/** Why a claim is refused; undefined when it is good. Whether it was used before, only the core can tell. */
export function refusal(
  claim: Claim,
  { join, node, now }: ClaimOptions,
): "forged" | "of another node" | "expired" | undefined {
  const expected = Buffer.from(seal(join, claim));
  const given = Buffer.from(claim.secret);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "forged";
  if (claim.id.split(".")[0] !== node) return "of another node";
  return now > Date.parse(claim.expires) ? "expired" : undefined;
}

function seal(join: string, { id, expires }: Pick<Claim, "id" | "expires">): string {
  return createHmac("sha256", join).update(`tutti claim 1\n${id}\n${expires}`).digest("base64url");
}
