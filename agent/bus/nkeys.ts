import { createUser, fromSeed } from "@nats-io/nkeys";

/** A new secret of a bus user, `SU…`. */
export function newSeed(): string {
  return new TextDecoder().decode(createUser().getSeed());
}

/** What the server knows of a user, `U…`. Throws when the seed is none. */
export function publicKeyOf(seed: string): string {
  return fromSeed(new TextEncoder().encode(seed)).getPublicKey();
}
