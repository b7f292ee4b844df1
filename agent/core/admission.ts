import { isIP } from "node:net";
import { type Claim, madeAt, refusal } from "../../pki/claim.ts";
import type { JoinRequest, RenewRequest } from "../bus/messages/membership.ts";
import { isUserKey } from "../bus/nkeys.ts";
import type { Member } from "./members.ts";

/** Why a machine is not let in. */
export interface Refusal {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

/** What a core knows when it decides. */
export interface Facts {
  /** The cluster's join secret. */
  readonly join: string;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** The member of the same id. */
  readonly member: Member | undefined;
  /** The node that has this key already. */
  readonly sameKey: string | undefined;
  /** A core, or a node that lives, which has this address already. */
  readonly sameAddress: string | undefined;
}

export type Decision = { readonly member: Member } | { readonly refused: Refusal };

const anew = "give the machine a new claim: tutti up, or tutti node attach";

/**
 * Whether a machine that shows a claim is let in. A claim works once: for the first key and instance that showed it, and
 * for these again, because the power may go before they have heard the answer. A later claim replaces the machine.
 */
export function admission(request: JoinRequest, facts: Facts): Decision {
  const { claim, key, instance, address, tlsKey, index } = request;
  const { member, sameKey, sameAddress } = facts;
  const wrong = atSight(request, facts) ?? late(claim, facts) ?? spent(request, facts);
  if (wrong) return { refused: wrong };
  if (sameKey) return { refused: keyTaken(sameKey) };
  if (sameAddress) return { refused: addressTaken(address, sameAddress) };
  const roles = member?.claim === claim.id ? member.roles : claim.roles;
  return { member: { key, tlsKey, instance, address, index, roles, claim: claim.id } };
}

/** Whether a member gets a new certificate. That it is the member, the bus has seen to. */
export function renewal({ instance, address, tlsKey }: RenewRequest, facts: Omit<Facts, "join" | "sameKey">): Decision {
  const { member, sameAddress } = facts;
  if (isIP(address) === 0) return { refused: bad(`${JSON.stringify(address)} is no IP address`) };
  if (!member || member.revoked !== undefined) return { refused: shutOut };
  if (member.instance !== instance)
    return {
      refused: {
        code: "wrong_instance",
        message: `this node was let in as the machine ${member.instance}, not as ${instance}`,
        hint: `a copy of a disk is not the node it was copied from; ${anew}`,
      },
    };
  if (sameAddress) return { refused: addressTaken(address, sameAddress) };
  return { member: { ...member, address, tlsKey } };
}

/** What can be said without asking the store: strangers cost no more than that. */
export function atSight(request: JoinRequest, { join, now }: Pick<Facts, "join" | "now">): Refusal | undefined {
  const { node, claim } = request;
  const wrong = malformed(request);
  if (wrong) return wrong;
  const why = refusal(claim, { join, node, now });
  if (why === "forged")
    return { code: "claim_forged", message: "the claim was not made for this cluster, or was changed", hint: anew };
  if (why !== "of another node") return undefined;
  const message = `the claim is for the node ${claim.id.split(".")[0]}, not for ${node}`;
  return { code: "claim_of_another_node", message, hint: anew };
}

function malformed({ node, key, address, claim, instance }: JoinRequest): Refusal | undefined {
  if (!isNodeId(node)) return bad("a node's id consists of a-z, 0-9 and -, at most 63 of them");
  if (!isUserKey(key)) return bad("the key is no public nkey of a user");
  if (isIP(address) === 0) return bad(`${JSON.stringify(address.slice(0, 64))} is no IP address`);
  if (instance === "" || instance.length > 200) return bad("the machine has no name of its own");
  return Number.isNaN(Date.parse(claim.expires)) ? bad("the claim has no date") : undefined;
}

/** Whoever is a member by this claim may ask again, also after a long night without power. */
function late({ id, expires }: Claim, { now, member }: Facts): Refusal | undefined {
  if (now <= Date.parse(expires) || member?.claim === id) return undefined;
  return { code: "claim_expired", message: `the claim was good until ${expires}`, hint: anew };
}

function spent({ claim, key, instance }: JoinRequest, { member }: Facts): Refusal | undefined {
  if (!member) return undefined;
  const made = madeAt(claim);
  if (member.revoked !== undefined && made <= Math.max(member.revoked, madeAt({ id: member.claim }))) return shutOut;
  if (made > madeAt({ id: member.claim })) return undefined;
  if (member.claim === claim.id && member.key === key && member.instance === instance) return undefined;
  const how = member.claim === claim.id ? `the machine ${member.instance} has used it` : "a later one has been used";
  return { code: "claim_used", message: `the claim works once, and ${how}`, hint: anew };
}

/** Node ids are tokens of subjects and names in certificates. */
export const isNodeId = (id: string): boolean => /^[a-z0-9-]{1,63}$/.test(id);

export const bad = (message: string): Refusal => ({
  code: "bad_request",
  message,
  hint: "agents of one cluster should be of one version",
});

const shutOut: Refusal = {
  code: "node_revoked",
  message: "this node was removed from the cluster",
  hint: `if it should come back, ${anew}`,
};

const keyTaken = (node: string): Refusal => ({
  code: "key_in_use",
  message: `the node ${node} has the same key`,
  hint: "a copy of a disk is not a new node: remove the directory identity of its home, then start the agent again",
});

const addressTaken = (address: string, node: string): Refusal => ({
  code: "address_in_use",
  message: `${node} has the address ${address} already, and is there`,
  hint: `give this machine another address, or remove ${node}`,
});
