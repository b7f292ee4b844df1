#!/usr/bin/env node
// The command's door. Plain JavaScript that any Node from 18 on can read: it finds a Node that can run the rest.
//
// What the start costs (2 cores, Node 24, medians; `tutti --help` in all 46 ms): Node itself 30 ms, commander 7 ms, our own
// files 9 ms. Without the compile cache it would be some 40 ms more: it keeps our files with their types stripped already.
// An older Node in front adds its own start (40 ms) and a second process. All else (HTTP client 60 ms, zod 40 ms, YAML
// 15 ms, zip 10 ms) is imported by the one command that needs it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import module from "node:module";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

const wanted = 24;
const main = new URL("../cli/main.ts", import.meta.url);

if (Number(process.versions.node.split(".")[0]) >= wanted) {
  // Beside the code, for whoever owns that: a directory in /tmp could be laid ready by somebody else. A place that cannot
  // be written is no error; NODE_DISABLE_COMPILE_CACHE=1 turns the cache off.
  module.enableCompileCache?.(fileURLToPath(new URL("../.cache/compile", import.meta.url)));
  const { run } = await import(main.href);
  await run(process.argv.slice(2));
} else {
  again();
}

/** The same command line on the Node that set-up installed, as if it were us: streams, signals and exit code are its. */
function again() {
  const node = fileURLToPath(new URL("../node_modules/.bin/node", import.meta.url));
  if (!existsSync(node)) return missing();
  const self = fileURLToPath(import.meta.url);
  const child = spawn(node, [self, ...process.argv.slice(2)], { stdio: "inherit" });
  // A terminal sends Ctrl-C to both of us; passing it on would make two of one. That it is closed may be told to us alone.
  const passed = process.stdin.isTTY ? ["SIGTERM", "SIGHUP"] : ["SIGTERM", "SIGINT", "SIGHUP"];
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
    process.on(signal, () => passed.includes(signal) && child.kill(signal));
  }
  child.on("error", missing);
  child.on("exit", (code, signal) => {
    process.exitCode = code ?? 128 + (constants.signals[signal] ?? 0);
  });
}

function missing() {
  const cause = `this is Node ${process.versions.node}, and tutti needs Node ${wanted} or newer`;
  const hint = "npm start (installs one beside the project), or npm ci for the command alone";
  if (process.argv.includes("--json")) {
    console.log(JSON.stringify({ ok: false, error: { code: "node_too_old", message: cause, hint } }));
  }
  console.error(`error: ${cause}\nhint: ${hint}`);
  process.exitCode = 1;
}
