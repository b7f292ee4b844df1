import { z } from "zod";
import { unprocessable } from "./errors.ts";

/** The body as the schema says, or 422 with everything that is wrong with it, in Cloud Foundry's words. */
export function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body ?? {});
  if (result.success) return result.data;
  throw unprocessable(result.error.issues.map(sentence).join(", "));
}

function sentence(issue: z.core.$ZodIssue): string {
  const where = issue.path.map(String).join(".");
  const subject = where ? `${where[0]?.toUpperCase()}${where.slice(1).replaceAll("_", " ")} ` : "";
  if (issue.code === "unrecognized_keys") {
    const prefix = where ? subject : "";
    return `${prefix}Unknown field(s): '${issue.keys.join("', '")}'`;
  }
  if (issue.code === "invalid_type" && issue.message.startsWith("Invalid input"))
    return `${subject}${missing(issue) ? "can't be blank, " : ""}must be ${a(issue.expected)}`;
  return `${subject}${issue.message}`;
}

const missing = (issue: z.core.$ZodIssue) => issue.input === undefined && issue.message.includes("undefined");
const words: Record<string, string> = {
  int: "an integer",
  object: "an object",
  array: "an array",
  record: "an object",
};
const a = (type: string) => words[type] ?? `a ${type}`;

const label = z.string().max(63, "is greater than 63 characters");
const note = z.string().max(5000, "is greater than 5000 characters");

/** `metadata` of a request: null takes a label or annotation away. */
export const metadataChange = z
  .strictObject({
    labels: z.record(z.string(), label.nullable()).optional(),
    annotations: z.record(z.string(), note.nullable()).optional(),
  })
  .optional();
export type MetadataChange = z.output<typeof metadataChange>;

interface Metadata {
  labels: Record<string, string>;
  annotations: Record<string, string>;
}

export const noMetadata: Metadata = { labels: {}, annotations: {} };

export function changed(old: Metadata, change: MetadataChange): Metadata {
  return { labels: merged(old.labels, change?.labels), annotations: merged(old.annotations, change?.annotations) };
}

/** null removes a key, everything else sets it. */
export function merged(
  old: Record<string, string>,
  change: Record<string, string | null> = {},
): Record<string, string> {
  const all = Object.entries({ ...old, ...change });
  return Object.fromEntries(all.filter((pair): pair is [string, string] => pair[1] !== null));
}

export const toOne = z.strictObject({ data: z.strictObject({ guid: z.string() }) });
export const name = (max = 255) =>
  z
    .string()
    .trim()
    .min(1, "can't be blank")
    .max(max, `is too long (maximum is ${max} characters)`)
    .regex(/^[^\p{Cc}]+$/u, "must not have control characters");
