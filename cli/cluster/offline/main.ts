import { mkdirSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { ec2Api } from "../../../rehearsal/ec2Api.ts";

// The process of an offline ground: node main.ts FILE. Writes pid and address into FILE when the API answers.

const file = process.argv[2] ?? "";
const quiet = { debug() {}, info() {}, warn() {}, error() {}, child: () => quiet };
const api = ec2Api({ log: quiet });
const stop = new AbortController();
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, () => stop.abort());

await api.runner.run(stop.signal, () => {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  // Whole or not at all: somebody is waiting for it.
  writeFileSync(`${file}.new`, JSON.stringify({ pid: process.pid, url: api.url }), { mode: 0o600 });
  renameSync(`${file}.new`, file);
});
rmSync(file, { force: true });
