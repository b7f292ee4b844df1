// node appLoad.mjs URL EVERY: asks each EVERY ms by a connection of its own, until its input ends; then it prints what
// became of it: {asked, failed: {<status or error>: <times>}}.
import { request } from "node:http";

const [url, every] = process.argv.slice(2);
const seen = { asked: 0, failed: {} };
const open = new Set();
const patience = 10_000;

function ask() {
  const one = Promise.withResolvers();
  const end = (how) => {
    if (how !== 200) seen.failed[how] = (seen.failed[how] ?? 0) + 1;
    one.resolve();
  };
  seen.asked += 1;
  const asking = request(url, { agent: false, timeout: patience }, (answer) => {
    answer.on("error", (error) => end(error.code)).on("end", () => end(answer.statusCode));
    answer.resume();
  });
  asking.on("timeout", () => asking.destroy(Object.assign(new Error(), { code: "timeout" })));
  asking.on("error", (error) => end(error.code)).end();
  open.add(one.promise);
  void one.promise.then(() => open.delete(one.promise));
}

const clock = setInterval(ask, Number(every));
process.stdin.resume().on("end", async () => {
  clearInterval(clock);
  await Promise.all(open);
  process.stdout.write(`${JSON.stringify(seen)}\n`);
  process.exit();
});
