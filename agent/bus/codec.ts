import type { z } from "zod";

/** A message that is not what its subject says. */
export class Undecodable extends Error {
  override name = "Undecodable";
}

const dropNull = (_key: string, value: unknown) => (value === null ? undefined : value);

/** Text of a message → payload. An empty text is read as `{}`, null as absent. Throws Undecodable. */
export function decode<P>(schema: z.ZodType<P>, text: string): P {
  const json = parse(text);
  const result = schema.safeParse(json);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  throw new Undecodable(`${issue?.path.join(".") || "message"}: ${issue?.message}`);
}

function parse(text: string): unknown {
  if (text.trim() === "") return {};
  try {
    return JSON.parse(text, dropNull) ?? {};
  } catch (cause) {
    throw new Undecodable("not JSON", { cause });
  }
}

/** Payload → text of a message. */
export function encode(payload: unknown): string {
  return JSON.stringify(payload);
}
