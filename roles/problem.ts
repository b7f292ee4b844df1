import type { z } from "zod";

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

/** zod's issues as problems; an unknown key is named with its own path. */
export function problemsOf(error: z.ZodError): Problem[] {
  return error.issues.flatMap((issue): Problem[] => {
    const at = pathOf(issue.path);
    if (issue.code !== "unrecognized_keys") return [{ path: at || "(top)", message: sentence(issue) }];
    const message = "is not a setting here: mend its name or leave it out";
    return issue.keys.map((key) => ({ path: at ? `${at}.${key}` : key, message }));
  });
}

function sentence(issue: z.core.$ZodIssue): string {
  const missing = issue.code === "invalid_type" && issue.message.endsWith("received undefined");
  return missing
    ? `is missing: write ${/^[aeiou]/.test(issue.expected) ? "an" : "a"} ${issue.expected}`
    : issue.message;
}

/** `["nodes", 0, "roles"]` → `nodes[0].roles` */
function pathOf(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === "number") return `${text}[${part}]`;
    return text ? `${text}.${String(part)}` : String(part);
  }, "");
}
