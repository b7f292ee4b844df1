import { z } from "zod";
import { list } from "./values.ts";

// How nodes come into a cluster of several, and what they are told from then on.

const claim = z.object({ id: z.string(), roles: list, expires: z.string(), secret: z.string() });

/** A node asks to be let in, once; it may ask the same again as long as nobody else has used its claim. */
export const joinRequest = z.object({
  node: z.string(),
  claim,
  /** The machine's own name: EC2's instance id, or what is in /etc/machine-id. */
  instance: z.string(),
  /** IP at which the other nodes reach it. */
  address: z.string(),
  index: z.number().int().min(0),
  /** Public nkey, U…. The seed never leaves the node. */
  key: z.string(),
  /** PEM (SPKI) of the key that its certificate is for. */
  tlsKey: z.string(),
});
export type JoinRequest = z.output<typeof joinRequest>;

/** Why not: a code for programs, a sentence and the next step for people. */
const refused = z.object({
  error: z.object({ code: z.string(), message: z.string(), hint: z.string().optional() }),
});

/** PEM of the node's certificate, or why there is none. */
export const joinAnswer = z.union([z.object({ certificate: z.string() }), refused]);
export type JoinAnswer = z.output<typeof joinAnswer>;

/** A member wants a new certificate: the old one runs out, or its address is another one now. */
export const renewRequest = z.object({ instance: z.string(), address: z.string(), tlsKey: z.string() });
export type RenewRequest = z.output<typeof renewRequest>;

/** What a node should be. */
export const nodeRoles = z.object({ roles: list });

/** What a new machine needs to be let in: for one that somebody attaches by hand. */
export const claimRequest = z.object({ node: z.string(), roles: list });
export const claimAnswer = z.union([z.object({ claim, cores: list, ca: z.string() }), refused]);
export type ClaimAnswer = z.output<typeof claimAnswer>;

/** A node is let in no longer. */
export const revokeRequest = z.object({ node: z.string() });
export const revokeAnswer = z.union([z.object({ revoked: z.string() }), refused]);
export type RevokeAnswer = z.output<typeof revokeAnswer>;
