import type { z } from "zod";
import { near } from "./near.ts";

/** One thing wrong with a spec: where, what, and what to write instead. */
export interface Problem {
  readonly path: string;
  readonly message: string;
}

/** A spec that cannot be used. All its problems at once, so that one reading mends them all. */
export class SpecError extends Error {
  override name = "SpecError";
  readonly code = "bad_spec";
  readonly hint = "mend the lines above; the commented examples are in examples/*/cluster.yaml";
  readonly problems: readonly Problem[];
  constructor(file: string, problems: readonly Problem[]) {
    super([`${file} cannot be used:`, ...problems.map(({ path, message }) => `  ${path}: ${message}`)].join("\n"));
    this.problems = problems;
  }
}

/** zod's issues as problems; an unknown key is named with its own path. `value`: what was checked. */
export function problemsOf(error: z.ZodError, value?: unknown): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const at = pathOf(issue.path);
    if (issue.code !== "unrecognized_keys")
      return [{ path: at || "(top)", message: sentence(issue, inside(value, issue.path)) }];
    const message = "is not a setting here: mend its name or leave it out";
    return issue.keys.map((key) => ({ path: at ? `${at}.${key}` : key, message }));
  });
}

function sentence(issue: z.core.$ZodIssue, found: unknown): string {
  if (issue.code === "invalid_value") return chooseOf(issue.values, found);
  if (issue.code === "too_small" && issue.message.startsWith("Too small"))
    return issue.origin === "array" ? "is empty: write at least one" : `must be at least ${issue.minimum}`;
  if (issue.code === "too_big" && issue.message.startsWith("Too big")) return `must be at most ${issue.maximum}`;
  // What is said of a setting by its own schema is better than anything that can be said of all.
  if (issue.code !== "invalid_type" || !issue.message.startsWith("Invalid input")) return issue.message;
  const kind = kinds[issue.expected] ?? `a ${issue.expected}`;
  if (found === null && issue.path.length === 0) return "is empty: write what the examples have";
  if (found === undefined || found === null) return `is missing: write ${kind}`;
  const instead = issue.expected === "array" && typeof found === "string" ? `: write [${shown(found, "")}]` : "";
  return `${shown(found)} is not ${kind}${instead}`;
}

const kinds: Readonly<Record<string, string>> = {
  array: "a list",
  object: "a group of settings",
  record: "a group of settings",
  int: "a whole number",
};

function chooseOf(values: readonly unknown[], found: unknown): string {
  const words = values.map(String);
  if (found === undefined || found === null) return `is missing: write one of ${words.join(", ")}`;
  const meant = typeof found === "string" ? near(found, words) : undefined;
  return `${shown(found)} is not known: ${meant ? `did you mean ${meant}?` : `write one of ${words.join(", ")}`}`;
}

function shown(value: unknown, quote = '"'): string {
  if (typeof value === "object" && value !== null) return Array.isArray(value) ? "a list" : "a group of settings";
  const text = String(value).length > 40 ? `${String(value).slice(0, 39)}…` : String(value);
  return typeof value === "string" ? quote + text + quote : text;
}

function inside(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>((at, part) => (at as Record<PropertyKey, unknown> | undefined | null)?.[part], value);
}

/** `["nodes", 0, "roles"]` → `nodes[0].roles` */
function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text ? `${text}.${String(part)}` : String(part);
  }, "");
}
