import { parse as parseYaml, stringify } from "yaml";
import { ApiError, kinds } from "./errors.ts";

// Stock clients send an app's manifest as YAML and nothing else: this file is where the controller reads and writes it.

/** The document, whatever it holds. Aliases are limited: a few lines of them can name millions of values. */
export function fromYaml(text: unknown): unknown {
  if (typeof text !== "string") throw new ApiError(kinds.badRequest, "Bad request: Content-Type must be yaml");
  try {
    return parseYaml(text, { maxAliasCount: 100 });
  } catch (cause) {
    throw new ApiError(kinds.parse, "Request invalid due to parse error: invalid YAML", cause);
  }
}

export const toYaml = (value: unknown): string => `---\n${stringify(value)}`;
