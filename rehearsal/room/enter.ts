import { type ChildProcess, type StdioOptions, spawn } from "node:child_process";
import { programPath } from "./programs.ts";

export interface EnterOptions {
  readonly env?: NodeJS.ProcessEnv;
  readonly stdio?: StdioOptions;
}

/** Runs a command in a room that is there: `pid` is that of its first process (`Room.pid`, `allRooms`). */
export function enterExisting(pid: number, command: readonly string[], options: EnterOptions = {}): ChildProcess {
  const [program = "nsenter", ...args] = enterCommand(pid, command);
  return spawn(program, args, { stdio: "pipe", ...options });
}

/** The command line of it, for people who want to look inside. */
export function enterCommand(pid: number, command: readonly string[]): string[] {
  const nsenter = programPath("nsenter") ?? "nsenter";
  return [nsenter, "--target", String(pid), "--mount", "--net", "--pid", "--", ...command];
}
