import { spawn } from "node:child_process";
import { tmpdir } from "node:os";
import { fileURLToPath } from "node:url";
import { until } from "./until.ts";

/** A command of ours at a terminal, with a person who reads and types. */
export interface Terminal {
  /** All that was shown so far. */
  screen(): string;
  /** Waits until this is on the screen, behind what was waited for before. */
  sees(text: string): Promise<void>;
  types(line: string): void;
  readonly code: Promise<number | null>;
}

const bin = fileURLToPath(new URL("../../bin/tutti.mjs", import.meta.url));
const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;

export function atTerminal(args: readonly string[], env: Readonly<Record<string, string>>): Terminal {
  const line = [process.execPath, bin, ...args].map(quote).join(" ");
  const { PATH = "" } = process.env;
  // `script` of util-linux gives it a terminal, and ends with its exit code.
  const child = spawn("script", ["-qefc", line, "/dev/null"], { env: { PATH, TERM: "xterm", ...env }, cwd: tmpdir() });
  let screen = "";
  let read = 0;
  child.stdout.setEncoding("utf8").on("data", (text: string) => (screen += text));
  return {
    screen: () => screen,
    async sees(text) {
      await until(() => screen.includes(text, read), {
        what: `"${text}" is on the screen:\n${screen}`,
        timeout: 20_000,
      });
      read = screen.indexOf(text, read) + text.length;
    },
    types: (typed) => void child.stdin.write(`${typed}\n`),
    code: new Promise((resolve) => child.once("close", resolve)),
  };
}
