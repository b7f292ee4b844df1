import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** Runs a program to its end: resolves to its output, rejects with the last lines of what it printed. */
export function exec(command, args, options = {}) {
  return new Promise((resolve, reject) => {
    execFile(command, args, { maxBuffer: 64 << 20, ...options }, (error, stdout, stderr) => {
      if (!error) return resolve(stdout + stderr);
      const tail = (stderr || stdout || error.message).trim().split("\n").slice(-6).join("\n");
      // The word that says what was wanted of the program: `install` among apt's options.
      const verb = args.find((arg) => /^[a-z]+$/.test(arg)) ?? "";
      reject(new Error(`${command} ${verb}: ${tail}`, { cause: error }));
    });
  });
}

const network = /refused|resolve|not resolve|ENOTFOUND|EAI_AGAIN|timed? ?out|unreachable|proxy|certificate|Errno/i;

/** The one line of an error that says why: the network's words before those of a program that only misses a file. */
export function reason(error) {
  const lines = error.message.trim().split("\n");
  const line = lines.findLast((each) => network.test(each)) ?? lines.at(-1);
  // pip says how often it will try before it says why.
  return line
    .replace(/^WARNING: Retrying .*? after /, "")
    .trim()
    .slice(0, 300);
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
