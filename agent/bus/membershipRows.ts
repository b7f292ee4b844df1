import * as component from "./messages/component.ts";
import * as membership from "./messages/membership.ts";
import * as values from "./messages/values.ts";
import { row } from "./subject.ts";

/** The part of the table that is about nodes: how they come in, what they are told, and how they leave. */
export const membershipRows = {
  nodeBeat: row("tutti.v1.node", {
    payload: component.nodeBeat,
    speakers: ["node"],
    listeners: ["controller"],
    of: "node",
    what: "a node with its roles and components, each beat",
  }),
  nodeWish: row("tutti.v1.node.{node}.wish", {
    payload: values.nothing,
    reply: membership.nodeRoles,
    speakers: ["node"],
    listeners: ["core"],
    queue: "core",
    what: "what should this node be?",
  }),
  nodeRoles: row("tutti.v1.node.{node}.roles", {
    payload: membership.nodeRoles,
    speakers: ["core"],
    listeners: ["node"],
    what: "what this node should be from now on",
  }),
  nodeRenew: row("tutti.v1.node.{node}.renew", {
    payload: membership.renewRequest,
    reply: membership.joinAnswer,
    speakers: ["node"],
    listeners: ["core"],
    queue: "core",
    what: "a new certificate, please",
  }),
  join: row("tutti.v1.join", {
    payload: membership.joinRequest,
    reply: membership.joinAnswer,
    speakers: ["joiner"],
    listeners: ["core"],
    queue: "core",
    what: "a new machine shows its claim and asks to be let in",
  }),
  claim: row("tutti.v1.claim", {
    payload: membership.claimRequest,
    reply: membership.claimAnswer,
    speakers: ["controller"],
    listeners: ["core"],
    queue: "core",
    what: "a claim for a machine that is to become a node",
  }),
  revoke: row("tutti.v1.revoke", {
    payload: membership.revokeRequest,
    reply: membership.revokeAnswer,
    speakers: ["controller"],
    listeners: ["core"],
    queue: "core",
    what: "this node is let in no longer",
  }),
} as const;
