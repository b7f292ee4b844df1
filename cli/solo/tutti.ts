import { spawn } from "node:child_process";
import { Fault } from "../fault.ts";
import type { Io } from "../io.ts";
import { projectFile } from "./place.ts";

interface Use {
  io: Io;
  /** Written to the command's standard input: how a secret travels. */
  input?: string;
  stop?: AbortSignal;
}

/**
 * Runs another tutti command the way a person would, and resolves to what it printed. Its progress goes straight to
 * the person; a failure has been told by it already, so ours only says which command it was.
 */
export function tutti(args: readonly string[], { io, input = "", stop }: Use): Promise<string> {
  const child = spawn(process.execPath, [projectFile("bin/tutti.mjs"), ...args], {
    env: io.env,
    ...(stop ? { signal: stop } : {}),
    stdio: ["pipe", "pipe", args[0] === "push" ? "inherit" : "pipe"],
  });
  const said = { out: "", error: "" };
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (said.out += chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (said.error += chunk));
  child.stdin?.end(input);
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => {
      if (code === 0) return resolve(said.out);
      const words = (said.error || said.out).trim();
      reject(
        new Fault(`tutti ${args[0]} failed: ${words}`, { code: "step_failed", hint: `npx tutti ${args.join(" ")}` }),
      );
    });
  });
}
