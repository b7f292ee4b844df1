import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { parseNode } from "../roles/node.ts";
import { ground } from "./components.ts";
import { node } from "./node.ts";
import { jsonLog } from "./run/log.ts";
import { start } from "./run/runner.ts";

// The agent: one process on each node, told everything by one file.
//   node agent/main.ts /etc/tutti/node.json
// It ends on SIGTERM or SIGINT, and keeps `status.json` in its home true for those who watch it.

const [file = "/etc/tutti/node.json"] = process.argv.slice(2);
const spec = parseNode(readFileSync(file, "utf8"), file);
const log = jsonLog(process.env["TUTTI_LOG"] === "debug" ? "debug" : "info").child({ node: spec.id });
mkdirSync(spec.home, { recursive: true, mode: 0o711 });

const statusFile = join(spec.home, "status.json");
const writeStatus = (components: unknown) => {
  // Written beside and renamed, so that a reader never sees half of it.
  writeFileSync(`${statusFile}.new`, JSON.stringify({ pid: process.pid, components }), { mode: 0o600 });
  renameSync(`${statusFile}.new`, statusFile);
};

// From here on each HTTPS request of the agent believes what the cluster's own authority has signed.
if (spec.join?.ca) setDefaultCACertificates([...getCACertificates("bundled"), spec.join.ca]);

writeStatus([]);
const running = start(node({ ...ground(spec, log), spec, log, onState: writeStatus }));
for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => void running.stop());
await running.exited;
// Everything has ended; what a closed connection may still have on its clock must not hold the process.
process.exit();
