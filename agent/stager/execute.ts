import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { sleep } from "../run/sleep.ts";
import { splitter } from "./lines.ts";
import { StagingError } from "./stagingError.ts";

/** A system user that runs builds. */
export interface BuildUser {
  uid: number;
  gid: number;
}

export interface Execution {
  command: string;
  args: readonly string[];
  cwd: string;
  env: Readonly<Record<string, string>>;
  user?: BuildUser | undefined;
  onLines: (lines: readonly string[], err: boolean) => void;
  /** Kills the whole process group; its reason is what the execution rejects with. */
  signal: AbortSignal;
}

/** Runs a program in a process group of its own to its end. Rejects with StagingError unless it ends with code 0. */
export async function execute(execution: Execution): Promise<void> {
  const { command, args, cwd, env, user, signal } = execution;
  signal.throwIfAborted();
  const proc = spawn(command, args, { cwd, env, ...user, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  const kill = () => killGroup(proc);
  signal.addEventListener("abort", kill, { once: true });
  const finish = listen(proc, execution.onLines);
  try {
    const [code, sig] = await once(proc, "exit").catch((cause) => Promise.reject(notStarted(command, cause)));
    // What the program left in the background would write into the droplet while it is packed.
    kill();
    await finish();
    signal.throwIfAborted();
    if (code !== 0) throw failed([command, ...args].join(" "), sig ?? `code ${code}`);
  } finally {
    signal.removeEventListener("abort", kill);
  }
}

function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left in it.
  }
}

/** Passes the lines on; the returned function waits for the last ones. */
function listen(proc: ChildProcess, onLines: Execution["onLines"]): () => Promise<void> {
  const closed = once(proc, "close").catch(() => {});
  const ends = [proc.stdout, proc.stderr].map((stream, i) => {
    const cut = splitter();
    stream?.setEncoding("utf8").on("data", (chunk: string) => onLines(cut.push(chunk), i === 1));
    return () => onLines(cut.end(), i === 1);
  });
  return async () => {
    // A process that left the group may hold the pipe open for ever.
    await Promise.race([closed, sleep(1000)]);
    for (const end of ends) end();
    proc.stdout?.destroy();
    proc.stderr?.destroy();
  };
}

function failed(line: string, how: string): StagingError {
  const shown = line.length > 120 ? `${line.slice(0, 120)}…` : line;
  return new StagingError("StagingPluginError", `${shown.replaceAll("\n", " ")} ended with ${how}`);
}

function notStarted(command: string, cause: Error): StagingError {
  const hint = `install ${command} on the nodes with the role stager`;
  return new StagingError("StagingPluginError", `${command} could not be started: ${cause.message}`, { hint, cause });
}
