import { readFileSync } from "node:fs";
import { Fault } from "../../agent/run/fault.ts";
import { jsonLog } from "../../agent/run/log.ts";
import { parseCluster } from "../../roles/spec.ts";
import { play } from "./play.ts";
import { type RehearsalPlan, type Word, wordLine } from "./words.ts";

// What runs in the room: node main.ts PLAN. Words for the command outside go to standard output, the log to standard
// error. The end of standard input means that nobody is there any more, unless the plan is to stay and the play is over.

const plan = JSON.parse(readFileSync(process.argv[2] ?? "", "utf8")) as RehearsalPlan;
const stop = new AbortController();
let staged = false;
const say = (word: Word) => {
  staged ||= word.kind === "stage";
  process.stdout.write(wordLine(word));
};
process.stdout.on("error", () => {});
process.stdin.resume().on("end", () => {
  if (!(plan.keep && staged)) stop.abort(new Fault("nobody waits for it any more", { code: "interrupted" }));
});
for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const)
  process.on(signal, () => stop.abort(new Fault("interrupted", { code: "interrupted" })));

try {
  const spec = parseCluster(readFileSync(plan.spec, "utf8"), plan.spec);
  await play({ plan, spec, say, log: jsonLog("info", 2), stop: stop.signal });
} catch (error) {
  const { message, code = "internal", hint } = error as Partial<Fault> & Error;
  process.stderr.write(`${(error as Error).stack}\n`);
  say({ kind: "fault", message, code, ...(hint && { hint }) });
  process.exitCode = 1;
}
// The input may still be open.
process.exit();
