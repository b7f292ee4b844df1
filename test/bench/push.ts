import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { hello } from "../support/apps.ts";
import { type Solo, soloCluster } from "../support/solo.ts";
import { bareStart } from "./bare.ts";
import { type Benchmark, median, pairs, spreadOf } from "./harness.ts";

const exec = promisify(execFile);

/** `tutti push` of hello, each time as a new app, beside its bare parts: an upload, the staging command, the start. */
export const push: Benchmark = {
  name: "push",
  what: "push of hello against the bare sum of upload, staging command and start",
  async run(tell) {
    const solo = await soloCluster();
    try {
      let turn = 0;
      const { a, b } = await pairs(
        5,
        () => timed(() => pushed(solo, `hello${turn++}`)),
        () => bareSum(),
      );
      tell(`push ${median(a).toFixed(0)} ms, bare ${median(b).toFixed(0)} ms`);
      // At most 1.5 times the bare sum plus a second: what is left after the second is what is compared.
      const share = a.map((ours, i) => Math.max(0, ours - 1000) / (b[i] ?? Number.NaN));
      const compare = `bare sum ${median(b).toFixed(0)} ms`;
      return [
        { name: "push of hello, ms", value: median(a), unit: "ms", spread: spreadOf(a), compare },
        {
          name: "(push − 1 s) / bare sum",
          value: median(share),
          unit: "×",
          goal: { atMost: 1.5 },
          spread: spreadOf(share),
          compare,
        },
      ];
    } finally {
      await solo.remove();
    }
  },
};

async function timed(act: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await act();
  return performance.now() - began;
}

async function pushed(solo: Solo, name: string): Promise<void> {
  await solo.json("push", name, "--path", hello);
  const page = await solo.get(`${name}.${solo.domain}`);
  if (page.status !== 200) throw new Error(`${name} answers ${page.status}`);
}

/** What cannot be left out by anybody: the bits travel, are packed into a droplet, and Node starts them. */
async function bareSum(): Promise<number> {
  const work = mkdtempSync(join(tmpdir(), "tutti-bare-"));
  const began = performance.now();
  const bits = join(work, "bits.tgz");
  await exec("tar", ["-czf", bits, "-C", hello, "."]);
  await upload(readFileSync(bits));
  await exec("mkdir", [join(work, "app")]);
  await exec("tar", ["-xzf", bits, "-C", join(work, "app")]);
  await exec("tar", ["-czf", join(work, "droplet.tgz"), "-C", work, "app"]);
  const soFar = performance.now() - began;
  const started = await bareStart(hello);
  rmSync(work, { recursive: true, force: true });
  return soFar + started;
}

function upload(body: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer((asked, answer) => {
      asked.resume().once("end", () => answer.end());
    });
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      const port = typeof address === "object" && address ? address.port : 0;
      const sent = request({ host: "127.0.0.1", port, method: "POST" }, (answer) => {
        answer.resume().once("end", () => server.close(() => resolve()));
      });
      sent.once("error", reject).end(body);
    });
  });
}
