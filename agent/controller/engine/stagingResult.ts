import type { StagingResult } from "../../bus/messages/staging.ts";

const lastLines = 10;

/** Process type → command. The detected start command is that of `web` unless the Procfile names one. */
export function processTypes({ procfile, detected_start_command: web }: StagingResult): Record<string, string> {
  return { ...(web ? { web } : {}), ...procfile };
}

/** `StagerFail/<class>: details` and the last lines of output, whichever generation of stager wrote it. */
export function failureText(error: string, log: string): string {
  const { kind, details } = parse(error);
  const shown = log.trimEnd().split("\n").slice(-lastLines).join("\n");
  return `StagerFail/${kind}: ${details}${shown && !details.includes(shown) ? `\n${shown}` : ""}`;
}

/** JSON inside the string in 2012, plain text later. */
function parse(error: string): { kind: string; details: string } {
  try {
    const { class: name, details } = JSON.parse(error) as { class?: unknown; details?: unknown };
    if (typeof name === "string") return { kind: name.split("::").at(-1) ?? name, details: String(details ?? "") };
  } catch {
    // Plain text.
  }
  return { kind: "TaskError", details: error };
}
