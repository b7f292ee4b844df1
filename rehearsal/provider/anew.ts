import { readFileSync } from "node:fs";

/**
 * Tells of a urn whether the person has asked for another one of it (`--replace`). The engine keeps that from providers:
 * then the resource that is there looks just like one that an interrupted run has left, and would be taken for it.
 * `args` is the engine's command line.
 */
export function askedAnew(args: readonly string[]): (urn: string) => boolean {
  const patterns = args.flatMap((arg, index) => {
    const [, inline] = /^--(?:target-)?replace=(.*)$/.exec(arg) ?? [];
    if (inline !== undefined) return [inline];
    return arg === "--replace" || arg === "--target-replace" ? [args[index + 1] ?? ""] : [];
  });
  const tests = patterns.map(expression);
  return (urn) => tests.some((test) => test.test(urn));
}

/** The engine's patterns: `*` within one part of a urn, `**` across all. */
function expression(pattern: string): RegExp {
  const parts = pattern.split(/(\*\*|\*)/).map((part) => {
    if (part === "**") return ".*";
    return part === "*" ? "[^:]*" : part.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  });
  return new RegExp(`^${parts.join("")}$`);
}

/** The command line of the process that has started this one; none where there is no /proc. */
export function engineArguments(): string[] {
  try {
    return readFileSync(`/proc/${process.ppid}/cmdline`, "utf8").split("\0");
  } catch {
    return [];
  }
}
