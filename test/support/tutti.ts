import { type ChildProcess, spawn } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export interface Ran {
  code: number | null;
  out: string;
  err: string;
  /** The last line of stdout, read as JSON. */
  json(): Record<string, never>;
}

export interface RunOptions {
  input?: string;
  env?: Record<string, string>;
  cwd?: string;
  /** Given the child, so that a test can signal it or see its lines. */
  during?: (child: ChildProcess) => void;
}

/** A person with a home of their own, who types commands. */
export interface Person {
  home: string;
  tutti(args: readonly string[], options?: RunOptions): Promise<Ran>;
  gone(): Promise<void>;
}

const bin = fileURLToPath(new URL("../../bin/tutti.mjs", import.meta.url));

export async function person(): Promise<Person> {
  const home = await mkdtemp(join(tmpdir(), "tutti-person-"));
  return {
    home,
    tutti: (args, options = {}) => run(args, { ...options, env: { TUTTI_HOME: home, ...options.env } }),
    gone: () => rm(home, { recursive: true, force: true }),
  };
}

function run(args: readonly string[], { input = "", env = {}, cwd, during }: RunOptions): Promise<Ran> {
  const { PATH = "", HOME = "" } = process.env;
  const child = spawn(process.execPath, [bin, ...args], { env: { PATH, HOME, ...env }, cwd: cwd ?? tmpdir() });
  let out = "";
  let err = "";
  child.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text) => (err += text));
  child.stdin.on("error", () => {});
  child.stdin.end(input);
  during?.(child);
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code) =>
      resolve({ code, out, err, json: () => JSON.parse(out.trim().split("\n").at(-1) ?? "") as Record<string, never> }),
    );
  });
}
