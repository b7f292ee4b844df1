import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { Readable } from "node:stream";
import { Fault } from "./fault.ts";
import type { Runner } from "./runner.ts";

export interface Child {
  command: string;
  args: readonly string[];
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  /** Extra descriptors handed to the child from number 3 on. */
  fds?: readonly number[];
  /** Resolves when the child does its work; without it the child is ready once it has been spawned. */
  whenReady?: (stop: AbortSignal) => Promise<void>;
  /** Receives each chunk of the child's output. */
  onOutput?: (chunk: string) => void;
  onSpawn?: (pid: number) => void;
  /** Milliseconds between the polite signal and SIGKILL. */
  grace?: number;
  signal?: NodeJS.Signals;
}

/** A program kept as a child: its end is the runner's end, and stopping the runner stops it (signal, then SIGKILL). */
export function child(name: string, options: Child): Runner {
  return {
    name,
    async run(stop, ready) {
      if (stop.aborted) return;
      const proc = spawn(options.command, options.args, {
        env: options.env,
        cwd: options.cwd,
        stdio: ["ignore", "pipe", "pipe", ...(options.fds ?? [])],
      });
      let tail = "";
      for (const stream of [proc.stdout, proc.stderr] as Readable[])
        stream.setEncoding("utf8").on("data", (chunk: string) => {
          tail = (tail + chunk).slice(-2000);
          options.onOutput?.(chunk);
        });
      if (proc.pid) options.onSpawn?.(proc.pid);
      let kill: NodeJS.Timeout | undefined;
      const ask = () => {
        proc.kill(options.signal ?? "SIGTERM");
        kill = setTimeout(() => proc.kill("SIGKILL"), options.grace ?? 5000);
      };
      stop.addEventListener("abort", ask, { once: true });
      const early = new AbortController();
      const readiness = options.whenReady?.(early.signal) ?? once(proc, "spawn");
      readiness.then(
        () => ready(),
        () => {},
      );
      try {
        await new Promise<void>((resolve, reject) => {
          proc.once("error", (cause) => reject(notStarted(name, options.command, cause)));
          ended(proc, (code, signal) => {
            if (stop.aborted) return resolve();
            reject(
              new Fault(`${name} ended with ${signal ?? `code ${code}`}: ${lastLines(tail)}`, { code: "child_exited" }),
            );
          });
          readiness.catch((error) => {
            proc.kill("SIGKILL");
            reject(error);
          });
        });
      } finally {
        early.abort();
        clearTimeout(kill);
        stop.removeEventListener("abort", ask);
      }
    },
  };
}

/** Tells of the end when all output has come, maybe twice. A grandchild that keeps the pipes open must not hide it. */
function ended(proc: ChildProcess, tell: (code: number | null, signal: NodeJS.Signals | null) => void) {
  proc.once("exit", (code, signal) => {
    const timer = setTimeout(() => tell(code, signal), 250);
    proc.once("close", () => clearTimeout(timer));
  });
  proc.once("close", tell);
}

function notStarted(name: string, command: string, cause: Error): Fault {
  const hint = `check that ${command} is there and may be executed; "npm start" fetches what is missing`;
  return new Fault(`${name} could not be started: ${cause.message}`, { code: "child_not_started", hint, cause });
}

function lastLines(text: string): string {
  return text.trim().split("\n").slice(-5).join(" | ") || "it printed nothing";
}
