import type { z } from "zod";

/** A message that is not what its subject says. */
export class Undecodable extends Error {
  override name = "Undecodable";
}

const dropNull = (_key: string, value: unknown) => (value === null ? undefined : value);

/** Text of a message → payload. An empty text is read as `{}`, null as absent. Throws Undecodable. */
export function decode<P>(schema: z.ZodType<P>, text: string): P {
  return checked(schema, parse(text));
}

function parse(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    // Looking at every value costs five times the parsing, and most messages hold no null.
    return (text.includes("null") ? JSON.parse(text, dropNull) : JSON.parse(text)) ?? {};
  } catch (cause) {
    throw new Undecodable("not JSON", { cause });
  }
}

/** Payload → text of a message in its canonical form. Throws Undecodable when the payload is not what the subject says. */
export function encode<P>(schema: z.ZodType<P>, payload: P): string {
  return JSON.stringify(checked(schema, payload));
}

function checked<P>(schema: z.ZodType<P>, value: unknown): P {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Undecodable(`${issue?.path.join(".") || "message"}: ${issue?.message}`);
}
