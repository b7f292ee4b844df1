import { expect, it } from "vitest";
import { tool } from "../support/setup.ts";

const { exec, reason } = await tool<{
  exec: (command: string, args: string[]) => Promise<string>;
  reason: (error: Error) => string;
}>("exec.mjs");

it("a program that fails is named by what was wanted of it, with the end of what it said", async () => {
  const script = "for i in 1 2 3 4 5 6 7 8; do echo line $i; done >&2; exit 3";
  const error = await exec("sh", ["-c", script, "install"]).catch((cause: Error) => cause);
  expect(String(error)).toContain("sh install: line 3\nline 4");
  expect(String(error)).not.toContain("line 2");
});

it.each([
  [
    "pip's retries",
    "WARNING: Retrying (Retry(total=0, connect=None)) after connection broken by 'x: [Errno 111] Connection refused'\nERROR: No matching distribution found",
    "connection broken by 'x: [Errno 111] Connection refused'",
  ],
  [
    "a plain failure",
    "apt-get install: E: one\nE: Unable to locate package haproxy",
    "E: Unable to locate package haproxy",
  ],
])("the reason in %s is the line that says why", (_title, text, line) => {
  expect(reason(new Error(text))).toBe(line);
});
