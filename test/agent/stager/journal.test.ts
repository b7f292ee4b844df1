import { mkdir, mkdtemp, readdir, readFile, realpath, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { memoryNet } from "../../../agent/bus/memory.ts";
import type { StagingResult } from "../../../agent/bus/messages/staging.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { silent } from "../../../agent/run/log.ts";
import { type Running, start } from "../../../agent/run/runner.ts";
import { journal } from "../../../agent/stager/journal.ts";
import { stager } from "../../../agent/stager/stager.ts";
import { failure, openShop, type Shop } from "../../support/stager.ts";
import { until } from "../../support/until.ts";

const beat = 20;
let home: string;
beforeEach(async () => {
  home = await realpath(await mkdtemp(join(tmpdir(), "tutti-journal-")));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const files = (of = home) => readdir(join(of, "jobs"));

/** A stager in this home, and what is answered to a task. */
async function restarted(name: string) {
  const net = memoryNet();
  const answers: StagingResult[] = [];
  net.join().subscribe({ ...subjects.stagingDone, name }, (result) => answers.push(result));
  const base = { bus: net.join(), log: silent, index: 0, address: "127.0.0.1", beat, home };
  const running: Running = start(stager(base));
  await running.ready;
  return { answers, running };
}

describe("a stager that is started after another was killed", () => {
  test("answers the jobs that were left behind, again and again, because nobody may listen yet", async () => {
    await mkdir(join(home, "jobs"));
    await journal(home).add("abc", { app_id: "app", notify_subj: "cc.staging.one" });
    const { answers, running } = await restarted("cc.staging.one");
    await until(() => answers.length === 4, { what: "it has been said four times" });
    for (const answer of answers) {
      expect(answer.task_id).toBe("abc");
      expect(failure(answer).details).toBe("the stager was restarted in the middle; push again");
    }
    await until(async () => (await files()).length === 0, { what: "the job is struck out" });
    await running.stop();
  });

  test("keeps a job for the next start when it is stopped before everybody can have heard", async () => {
    await mkdir(join(home, "jobs"));
    await journal(home).add("abc", { app_id: "app", notify_subj: "cc.staging.one" });
    const { answers, running } = await restarted("cc.staging.one");
    await until(() => answers.length === 1, { what: "it has been said once" });
    await running.stop();
    expect(await files()).toEqual(["abc.json"]);
  });

  test("removes what it cannot read", async () => {
    await mkdir(join(home, "jobs"));
    await writeFile(join(home, "jobs/torn.json"), '{"app_id":"a');
    const { running } = await restarted("cc.staging.one");
    expect(await files()).toEqual([]);
    await running.stop();
  });
});

describe("a job that is worked on", () => {
  let shop: Shop;
  afterEach(() => shop.close());

  test("stands in the journal, readable by nobody else and without secrets, until it is answered", async () => {
    shop = await openShop();
    const request = await shop.order({ "index.html": "hi" }, { environment: ["PASSWORD=s3cret"] });
    const release = Promise.withResolvers<void>();
    const path = new URL(request.download_uri).pathname;
    shop.desk.odd.set(path, (_request, response) => {
      release.promise.then(() => response.writeHead(404).end());
    });
    const done = shop.stage(request);
    await until(async () => (await files(shop.home)).length === 1, { what: "it is written down" });
    const [name = ""] = await files(shop.home);
    const file = join(shop.home, "jobs", name);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(Object.keys(JSON.parse(await readFile(file, "utf8")))).toEqual(["app_id", "notify_subj"]);
    release.resolve();
    expect(`${(await done).task_id}.json`).toBe(name);
    await until(async () => (await files(shop.home)).length === 0, { what: "it is struck out" });
  });
});
