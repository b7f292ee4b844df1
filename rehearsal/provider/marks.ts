import { createHash } from "node:crypto";
import { CreateTagsCommand, DeleteTagsCommand, DescribeTagsCommand } from "@aws-sdk/client-ec2";
import type { Aws } from "./aws.ts";
import type { Kind, Props, Wanted } from "./kind.ts";

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

/** True when what is there carries the mark among these tags, which is the last of them. */
export function hasMark(there: readonly { Key?: string; Value?: string }[] | undefined, tags: Wanted["tags"]): boolean {
  const mark = tags.at(-1);
  return there?.some(({ Key, Value }) => Key === mark?.Key && Value === mark?.Value) ?? false;
}

/** Tags as an answer has them → the program's. */
export function tagsOf(tags: readonly { Key?: string; Value?: string }[] | undefined): Record<string, string> {
  const pairs = (tags ?? []).map(({ Key = "", Value = "" }) => [Key, Value] as const);
  return Object.fromEntries(pairs.filter(([key]) => key !== markKey && !key.startsWith("aws:")));
}

/** Mark and type → ids of what carries it. */
export type Marks = ReadonlyMap<string, readonly string[]>;

/** All marks at once: an interrupted run leaves a few, and asking for each resource would be a call for each. */
export async function allMarks(aws: Aws): Promise<Marks> {
  const found = new Map<string, string[]>();
  const Filters = [{ Name: "key", Values: [markKey] }];
  let NextToken: string | undefined;
  do {
    const page = await aws.ec2.send(new DescribeTagsCommand({ Filters, NextToken }));
    for (const { Value, ResourceType, ResourceId = "" } of page.Tags ?? []) {
      // moto has a word of its own for addresses.
      const key = `${Value} ${String(ResourceType).replace(/^vpc-elastic-ip$/, "elastic-ip")}`;
      found.set(key, [...(found.get(key) ?? []), ResourceId]);
    }
    NextToken = page.NextToken;
  } while (NextToken);
  return found;
}

export function markedFor(marks: Marks, urn: string, { tagged }: Kind): readonly string[] {
  return tagged ? (marks.get(`${markOf(urn)} ${tagged}`) ?? []) : [];
}

/** Gives a thing of EC2 the tags it should have and takes those it should not. */
export async function retag(aws: Aws, id: string, has: Props, wants: Props): Promise<void> {
  const put = Object.entries(wants).filter(([key, value]) => has[key] !== value);
  const gone = Object.keys(has).filter((key) => !(key in wants));
  const Tags = put.map(([Key, Value]) => ({ Key, Value: String(Value) }));
  if (Tags.length > 0) await aws.ec2.send(new CreateTagsCommand({ Resources: [id], Tags }));
  const Gone = gone.map((Key) => ({ Key }));
  if (Gone.length > 0) await aws.ec2.send(new DeleteTagsCommand({ Resources: [id], Tags: Gone }));
}
