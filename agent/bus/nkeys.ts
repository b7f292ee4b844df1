import { createUser, fromPublic, fromSeed } from "@nats-io/nkeys";

/** A new secret of a bus user, `SU…`. */
export function newSeed(): string {
  return new TextDecoder().decode(createUser().getSeed());
}

/** What the server knows of a user, `U…`. Throws when the seed is none. */
export function publicKeyOf(seed: string): string {
  return fromSeed(new TextEncoder().encode(seed)).getPublicKey();
}

/** Whether a text is the public key of a user: a server refuses its whole configuration for one that is not. */
export function isUserKey(key: string): boolean {
  try {
    fromPublic(key);
    return /^U[A-Z2-7]{55}$/.test(key);
  } catch {
    return false;
  }
}
