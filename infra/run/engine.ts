import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { endSession } from "./session.ts";
import type { Site } from "./site.ts";

/** How a run of the engine has ended. */
export interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface RunOptions {
  /** Told each line of standard output as it comes; then `out` stays empty. */
  readonly onLine?: (line: string) => void;
  /** Once: the engine ends what it has begun and no more. Twice: it ends at once. */
  readonly onStop?: (stop: () => void) => void;
  readonly env?: Readonly<Record<string, string>>;
}

/**
 * Runs `pulumi ARGS` to its end. In a session of its own: a Ctrl-C at the terminal reaches the engine through us, once;
 * and when the engine is killed, what it has started (program, plugins) does not live on without it.
 */
export function pulumi(site: Site, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const { onLine, onStop, env } = options;
  const engine = spawn(site.program, [...args, "--non-interactive", "--color", "never"], {
    cwd: site.folder,
    env: { ...site.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  const said = { out: "", err: "" };
  if (onLine) createInterface({ input: engine.stdout }).on("line", onLine);
  else engine.stdout.setEncoding("utf8").on("data", (text: string) => (said.out += text));
  engine.stderr.setEncoding("utf8").on("data", (text: string) => (said.err += text));
  onStop?.(() => engine.kill("SIGINT"));
  return new Promise((resolve, reject) => {
    engine.once("error", reject);
    engine.once("exit", (_code, signal) => signal && engine.pid && endSession(engine.pid));
    engine.once("close", (code) => resolve({ code, ...said }));
  });
}
