import type { Tag } from "@aws-sdk/client-iam";
import type { Props, Wanted } from "../kind.ts";
import { hasMark } from "../marks.ts";

/**
 * Resolves when a thing with a name was made, or is there and carries our mark: then an interrupted run has made it.
 * `there` asks for the tags of the one that has the name; `tags` are ours, the mark at the end.
 */
export async function ours(
  making: Promise<unknown>,
  there: () => Promise<readonly Tag[] | undefined>,
  tags: Wanted["tags"],
): Promise<void> {
  try {
    await making;
  } catch (error) {
    if ((error as Error).name !== "EntityAlreadyExistsException" && (error as Error).name !== "EntityAlreadyExists")
      throw error;
    if (!hasMark(await there(), tags)) throw error;
  }
}

export function tagChange(has: Props, wants: Props): { put: { Key: string; Value: string }[]; gone: string[] } {
  const put = Object.entries(wants).filter(([key, value]) => has[key] !== value);
  const gone = Object.keys(has).filter((key) => !(key in wants));
  return { put: put.map(([Key, Value]) => ({ Key, Value: String(Value) })), gone };
}

/** IAM answers with documents as they stand in an address: percent-encoded. */
export function decoded(document: string | undefined): string | undefined {
  return document?.startsWith("%") ? decodeURIComponent(document) : document;
}
