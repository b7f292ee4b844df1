import { spawn } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../../agent/run/fault.ts";

/** Where set-up puts outside programs. */
export const toolsBin = fileURLToPath(new URL("../../.cache/tools/bin", import.meta.url));

/** The path of an outside program: what set-up fetched, else the machine's own; undefined when there is none. */
export function programPath(name: string): string | undefined {
  const own = (process.env["PATH"] ?? "").split(delimiter).filter((each) => each.startsWith("/"));
  // The PATH of a plain shell leaves out where the programs of an administrator are.
  return [toolsBin, ...own, "/usr/sbin", "/sbin"].map((each) => join(each, name)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** An outside program failed, or is not there. */
export class ProgramFailed extends Fault {
  override name = "ProgramFailed";
}

export interface Run {
  /** Bytes for its standard input. */
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly stop?: AbortSignal;
}

export interface Result {
  readonly code: number;
  /** What it wrote on both outputs, as it came. */
  readonly out: string;
}

/** Runs a program to its end, whatever that is. Throws ProgramFailed only when it can't be started. */
export function attempt(name: string, args: readonly string[], { input, env, stop }: Run = {}): Promise<Result> {
  return new Promise((resolve, reject) => {
    const proc = spawn(programPath(name) ?? name, args, { env, signal: stop, stdio: "pipe" });
    const chunks: Buffer[] = [];
    for (const stream of [proc.stdout, proc.stderr]) stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    proc.once("error", (cause) => reject(notStarted(name, cause)));
    proc.once("close", (code) => resolve({ code: code ?? 137, out: Buffer.concat(chunks).toString("utf8") }));
    // One that ends early does not read what is left for it.
    proc.stdin.on("error", () => {});
    proc.stdin.end(input ?? "");
  });
}

/** Runs a program that must succeed → what it printed. */
export async function run(name: string, args: readonly string[], options?: Run): Promise<string> {
  const { code, out } = await attempt(name, args, options);
  if (code === 0) return out;
  const said = out.trim().split("\n").slice(-4).join(" | ") || "it said nothing";
  throw new ProgramFailed(`${name} ${args.join(" ")}`.slice(0, 300).concat(`: code ${code}: ${said}`), {
    code: "program_failed",
  });
}

function notStarted(name: string, cause: Error): ProgramFailed {
  const hint = `install ${name}, or run: node bin/setup.mjs --machines`;
  return new ProgramFailed(`${name} could not be started: ${cause.message}`, { code: "program_missing", hint, cause });
}
