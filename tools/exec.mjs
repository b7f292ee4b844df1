import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Runs a program to its end: resolves to its output, rejects with the last lines of what it printed. */
export function exec(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 64 << 20, ...options }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout + stderr);
      const tail = (stderr || stdout || error.message).trim().split("\n").slice(-6).join("\n");
      reject(new Error(`${command} ${args[0] ?? ""}: ${tail}`, { cause: error }));
    });
  });
}

/** The first program of that name on PATH, or undefined. */
export function which(name) {
  for (const directory of (process.env.PATH ?? "").split(delimiter)) {
    if (directory && existsSync(join(directory, name))) return join(directory, name);
  }
  return undefined;
}

/** The version a program prints of itself, or undefined when it does not run. */
export async function versionOf(path, args = ["--version"]) {
  const output = await exec(path, args).catch(() => "");
  return /(\d+\.\d+\.\d+)/.exec(output)?.[1];
}
