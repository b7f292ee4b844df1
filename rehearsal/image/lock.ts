import { spawn } from "node:child_process";
import { once } from "node:events";
import { programPath } from "../room/programs.ts";

/**
 * Does something while no other process does anything under the same lock file. The lock is free again when we end,
 * however that happens: it is held by a child that waits for the end of what we would write to it.
 */
export async function locked<T>(file: string, act: () => Promise<T>, stop?: AbortSignal): Promise<T> {
  const args = ["--exclusive", "--no-fork", file, "sh", "-c", "echo held; exec cat"];
  const holder = spawn(programPath("flock") ?? "flock", args, { stdio: ["pipe", "pipe", "ignore"], signal: stop });
  const failed = once(holder, "error").then(([error]) => Promise.reject(error));
  failed.catch(() => {});
  try {
    const ended = once(holder, "exit").then(() => Promise.reject(new Error(`the lock ${file} can't be had`)));
    ended.catch(() => {});
    await Promise.race([once(holder.stdout, "data"), ended, failed]);
    return await act();
  } finally {
    holder.stdin.end();
    holder.kill("SIGKILL");
  }
}
