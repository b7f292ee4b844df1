import { z } from "zod";
import { deaIdOf } from "../bus/deaId.ts";
import type { Speaker } from "../bus/memberPermissions.ts";

/** A node that has been let in. In the store under `members.<node id>`. */
export const memberRecord = z.object({
  /** Public nkey. */
  key: z.string(),
  /** PEM (SPKI) of the key that its certificate is for. */
  tlsKey: z.string(),
  /** The machine's own name. */
  instance: z.string(),
  /** IP. Empty when another node has it now. */
  address: z.string(),
  index: z.number(),
  /** Those of its claim: what it is until the store says otherwise. */
  roles: z.array(z.string()),
  /** Id of the claim that it was let in with. */
  claim: z.string(),
  /** Milliseconds since 1970 at which it was shut out. */
  revoked: z.number().optional(),
});
export type Member = z.output<typeof memberRecord>;

/** What a node should be. In the store under `nodes.<node id>`. */
export const wishRecord = z.object({ roles: z.array(z.string()) });

/** What a core knows of who belongs to the cluster. Keys are node ids. */
export interface Knowledge {
  readonly members: ReadonlyMap<string, Member>;
  readonly wishes: ReadonlyMap<string, readonly string[]>;
  /** Roles that a node has just lost: it needs their permissions to end in good order. */
  readonly leaving: ReadonlyMap<string, readonly string[]>;
}

export interface Admitted extends Speaker {
  readonly key: string;
}

/** Who may speak, in a fixed order. Of two with the same key only one: the server would refuse the whole list. */
export function admitted({ members, wishes, leaving }: Knowledge, reserved: ReadonlySet<string>): Admitted[] {
  const taken = new Set(reserved);
  const found: Admitted[] = [];
  for (const id of [...members.keys()].sort()) {
    const member = members.get(id);
    if (!member || member.revoked !== undefined || taken.has(member.key)) continue;
    taken.add(member.key);
    const roles = new Set([...(wishes.get(id) ?? member.roles), ...(leaving.get(id) ?? [])]);
    found.push({ id, key: member.key, deaId: deaIdOf(member), roles: [...roles].sort() });
  }
  return found;
}
