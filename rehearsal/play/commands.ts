import { spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { Fault } from "../../agent/run/fault.ts";

const bin = fileURLToPath(new URL("../../bin/tutti.mjs", import.meta.url));

export interface Typing {
  readonly env: NodeJS.ProcessEnv;
  readonly stop: AbortSignal;
  /** Told of each line of progress. */
  readonly onNote: (line: string) => void;
}

/** A command failed; its own words are the message and the hint. */
export class CommandFailed extends Fault {
  override name = "CommandFailed";
}

/** Types `tutti … --json` as a person would → the object it answers. Secrets go through `env`. */
export function type(words: readonly string[], { env, stop, onNote }: Typing): Promise<Record<string, unknown>> {
  const child = spawn(process.execPath, [bin, ...words, "--json"], {
    env,
    signal: stop,
    stdio: ["ignore", "pipe", "pipe"],
  });
  let out = "";
  let rest = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (out += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    const lines = `${rest}${text}`.split("\n");
    rest = lines.pop() ?? "";
    lines.forEach(onNote);
  });
  return new Promise((resolve, reject) => {
    child.once("error", (cause) => reject(stop.aborted ? stop.reason : cause));
    child.once("close", (code) => {
      const answer = lastObject(out);
      if (code === 0 && answer) resolve(answer);
      else reject(failed(words, answer));
    });
  });
}

/** The last line that is an object: what a command streams before it is no answer. */
function lastObject(out: string): Record<string, unknown> | undefined {
  try {
    return JSON.parse(out.trim().split("\n").at(-1) ?? "") as Record<string, unknown>;
  } catch {
    return undefined;
  }
}

function failed([verb = ""]: readonly string[], answer: Record<string, unknown> | undefined): CommandFailed {
  const { message, code, hint } = (answer?.["error"] ?? {}) as { message?: string; code?: string; hint?: string };
  return new CommandFailed(`tutti ${verb}: ${message ?? "failed without a word"}`, {
    code: code ?? "step_failed",
    ...(hint && { hint }),
  });
}
