import { createHmac, timingSafeEqual } from "node:crypto";

/** What a new machine shows a core, once, to be let in. */
export interface Claim {
  /** `<node>.<milliseconds, base 36>`: a later one for the same node replaces what an earlier one was traded for. */
  readonly id: string;
  /** What the node is born as; from then on the store says what it is. */
  readonly roles: string[];
  /** Instant, ISO 8601. */
  readonly expires: string;
  readonly secret: string;
}

/** Long enough for a slow boot, short enough that user data read a day later is worth nothing. */
const lifetime = 60 * 60 * 1000;

export interface ClaimOptions {
  /** The cluster's join secret. */
  readonly join: string;
  readonly node: string;
  readonly roles: readonly string[];
  /** Milliseconds since 1970. */
  readonly now: number;
}

/**
 * A claim needs no list anywhere: whoever has the join secret can make one and check one, so that each birth, be it the
 * first or a replacement a year later, gets a fresh one. The core has to remember the ids it has seen: they work once.
 */
export function makeClaim({ join, node, roles, now }: ClaimOptions): Claim {
  const claim = {
    id: `${node}.${now.toString(36)}`,
    roles: [...roles],
    expires: new Date(now + lifetime).toISOString(),
  };
  return { ...claim, secret: seal(join, claim) };
}

/** Why a claim is refused; undefined when it is good. Whether it was used before, only the core can tell. */
export function refusal(
  claim: Claim,
  { join, node, now }: Omit<ClaimOptions, "roles">,
): "forged" | "of another node" | "expired" | undefined {
  const expected = Buffer.from(seal(join, claim));
  const given = Buffer.from(claim.secret);
  if (given.length !== expected.length || !timingSafeEqual(given, expected)) return "forged";
  if (claim.id.split(".")[0] !== node) return "of another node";
  return now > Date.parse(claim.expires) ? "expired" : undefined;
}

/** When it was made, milliseconds since 1970. */
export function madeAt({ id }: Pick<Claim, "id">): number {
  return Number.parseInt(id.split(".")[1] ?? "", 36) || 0;
}

function seal(join: string, { id, roles, expires }: Omit<Claim, "secret">): string {
  const text = `tutti claim 1\n${id}\n${roles.join(" ")}\n${expires}`;
  return createHmac("sha256", join).update(text).digest("base64url");
}
