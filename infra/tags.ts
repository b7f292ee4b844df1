import type { AwsSpec } from "../roles/aws.ts";
import type { PlannedNode } from "../roles/plan.ts";

export type Tags = Readonly<Record<string, string>>;

/** Keys of our tags. Letters, digits and `:` only: others are not allowed where a machine reads its own tags. */
export const tagKeys = {
  cluster: "tutti:cluster",
  stack: "tutti:stack",
  node: "tutti:node",
  group: "tutti:group",
  roles: "tutti:roles",
  owner: "tutti:owner",
  expires: "tutti:expires",
} as const;

export interface Owned {
  readonly cluster: string;
  /** Name of the Pulumi stack: one account may hold the same cluster twice. */
  readonly stack: string;
  readonly aws: Pick<AwsSpec, "owner" | "expires">;
}

/** What everything carries: whose it is, and until when. `node` is "-" on what all nodes share. */
export function clusterTags({ cluster, stack, aws }: Owned, name?: string): Tags {
  return {
    Name: [cluster, stack, ...(name ? [name] : [])].join("-"),
    [tagKeys.cluster]: cluster,
    [tagKeys.stack]: stack,
    [tagKeys.node]: "-",
    [tagKeys.owner]: aws.owner,
    [tagKeys.expires]: aws.expires,
  };
}

/** What a node's machine, disk and address carry. The roles are in the spec's order, so that a mere reordering shows. */
export function nodeTags(owned: Owned, { id, group, roles }: Pick<PlannedNode, "id" | "group" | "roles">): Tags {
  return {
    ...clusterTags(owned, id),
    [tagKeys.node]: id,
    [tagKeys.group]: group,
    [tagKeys.roles]: roles.join(","),
  };
}
