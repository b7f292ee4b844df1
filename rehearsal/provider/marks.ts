import { createHash } from "node:crypto";
import { DescribeTagsCommand } from "@aws-sdk/client-ec2";
import type { Aws } from "./aws.ts";
import type { Kind, Props } from "./kind.ts";

/**
 * A tag that says which resource of which stack a thing was made for. It is given in the call that makes the thing, so
 * that a run which is cut off before the engine hears of it leaves nothing that the next run would not find. Programs
 * never see it.
 */
export const markKey = "rehearsal:for";

export function markOf(urn: string): string {
  return createHash("sha256").update(urn).digest("hex").slice(0, 32);
}

/** The program's tags and our mark, as EC2 and IAM take them. */
export function marked(urn: string, tags: Props): { Key: string; Value: string }[] {
  const pairs = Object.entries(tags).map(([Key, Value]) => ({ Key, Value: String(Value) }));
  return [...pairs, { Key: markKey, Value: markOf(urn) }];
}

/** Tags as an answer has them → the program's. */
export function tagsOf(tags: readonly { Key?: string; Value?: string }[] | undefined): Record<string, string> {
  const pairs = (tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value] as const);
  return Object.fromEntries(pairs.filter(([key]) => key !== markKey && !key.startsWith("aws:")));
}

/** Ids of what carries the resource's mark. */
export async function markedFor(aws: Aws, urn: string, kind: Kind): Promise<string[]> {
  if (!kind.tagged) return [];
  const Filters = [
    { Name: "key", Values: [markKey] },
    { Name: "value", Values: [markOf(urn)] },
    { Name: "resource-type", Values: [kind.tagged] },
  ];
  const { Tags = [] } = await aws.ec2.send(new DescribeTagsCommand({ Filters }));
  return Tags.flatMap(({ ResourceId }) => (ResourceId ? [ResourceId] : []));
}
