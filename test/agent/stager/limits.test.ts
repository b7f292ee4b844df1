import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { StagingResult } from "../../../agent/bus/messages/staging.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import type { StagerOptions } from "../../../agent/stager/options.ts";
import { commandLines, examples, type Files, failure, openShop, type Shop, works } from "../../support/stager.ts";

let shop: Shop;
const openWith = async (options: Partial<StagerOptions>) => {
  shop = await openShop(options);
  return shop;
};
afterEach(() => shop.close());

const building = (program: string): Files => ({
  "package.json": JSON.stringify({ scripts: { postinstall: "node build.js", start: "node server.js" } }),
  "build.js": program,
});
const forever = (mark: string) => building(`console.log("here"); setInterval(() => {}, 1000); // ${mark}`);

describe("limits", () => {
  test("a build that takes too long is killed with everything it started, and the answer says so", async () => {
    const { stage, order } = await openWith({ timeout: 3 });
    const { class: kind, details } = failure(
      await stage(await order(building('require("child_process").spawnSync("sleep", ["4712"])'))),
    );
    expect(kind).toBe("VCAP::Stager::StagingTimeoutError");
    expect(details).toContain("staging took longer than 3 seconds and was ended");
    expect(details).toContain("$ npm install");
    expect(await commandLines()).not.toContain("sleep 4712");
  });

  test("a controller that sends its bits drop by drop meets the same time limit", async () => {
    const { stage, order, desk } = await openWith({ timeout: 1 });
    const request = await order({});
    desk.odd.set(new URL(request.download_uri).pathname, (_asked, response) => void response.write("P"));
    expect(failure(await stage(request)).class).toBe("VCAP::Stager::StagingTimeoutError");
  });

  test("a build that fills the disk is killed, and the answer says how much is allowed", async () => {
    const { stage, order } = await openWith({ diskLimit: 20 });
    const program = `const fs = require("fs"); const block = Buffer.alloc(1e6, 1);
      const file = fs.openSync("big", "w"); let n = 0;
      setInterval(() => { if (n++ < 60) fs.writeSync(file, block); }, 10);`;
    const { class: kind, details } = failure(await stage(await order(building(program))));
    expect(kind).toBe("VCAP::Stager::DropletCreationError");
    expect(details).toMatch(/staging takes \d+ MiB of disk, 20 MiB are allowed/);
  });

  test("a build that filled the disk between two looks is found out at its end", async () => {
    const { stage, order } = await openWith({ diskLimit: 5, beat: 60_000, grace: 0 });
    const program = 'require("fs").writeFileSync("big", Buffer.alloc(9e6, 1))';
    expect(failure(await stage(await order(building(program)))).details).toContain("5 MiB are allowed");
  });

  test("bits larger than the disk limit are not downloaded to their end", async () => {
    const { stage, order, desk } = await openWith({ diskLimit: 1 });
    const request = await order({});
    desk.odd.set(new URL(request.download_uri).pathname, (_asked, response) => response.end(Buffer.alloc(3e6)));
    expect(failure(await stage(request)).details).toContain("it is larger than 1 MiB");
  });

  test("a package manager that is not there: says what to install and where", async () => {
    const { stage, order } = await openWith({ path: "/nonexistent" });
    const { details } = failure(await stage(await order(building(""))));
    expect(details).toContain("npm could not be started");
    expect(details).toContain("install npm on the nodes with the role stager");
  });
});

describe("slots", () => {
  test("with one slot two jobs run one after the other, in order", async () => {
    const { stage, order, desk } = await openWith({ slots: 1 });
    const seen: string[] = [];
    const requests = [await order(join(examples, "hello")), await order(join(examples, "hello"))];
    requests.forEach((request, i) => {
      desk.odd.set(new URL(request.upload_uri).pathname, (asked, response) => {
        asked.resume().on("end", () => {
          seen.push(`uploaded ${i}`);
          response.end();
        });
      });
      const download = new URL(request.download_uri).pathname;
      const bits = desk.bits.get(download) ?? "";
      desk.odd.set(download, (_asked, response) => {
        seen.push(`downloaded ${i}`);
        desk.odd.delete(download);
        desk.bits.set("/again", bits);
        response.writeHead(302, { location: "/again" }).end();
      });
    });
    await Promise.all(requests.map(stage));
    expect(seen).toEqual(["downloaded 0", "uploaded 0", "downloaded 1", "uploaded 1"]);
  });

  test("more than may wait are refused at once", async () => {
    const { stage, order } = await openWith({ slots: 1, waiting: 0, grace: 0 });
    const first = stage(await order(forever("a")));
    const { class: kind, details } = failure(await stage(await order({})));
    expect(kind).toBe("VCAP::Stager::TaskError");
    expect(details).toContain("0 stagings wait already");
    await shop.running.stop();
    expect(failure(await first).details).toContain("the stager is stopping");
  });
});

describe("a stager that is stopped", () => {
  test("answers for the job it runs and for those that wait, and leaves no process", async () => {
    const { stage, order, logs, bus } = await openWith({ grace: 0 });
    const heard = Promise.withResolvers<void>();
    bus.subscribe(subjects.log, ({ lines }) => {
      if (lines.some((line) => line.text.startsWith("$ npm"))) heard.resolve();
    });
    const jobs = [stage(await order(forever("4713"))), stage(await order(join(examples, "hello")))];
    await heard.promise;
    await shop.running.stop();
    for (const job of jobs) {
      const { class: kind, details } = failure(await job);
      expect(kind).toBe("VCAP::Stager::TaskError");
      expect(details).toContain("the stager is stopping; push or restage again in a moment");
    }
    expect(await readdir(join(shop.home, "work"))).toEqual([]);
    expect(logs.length).toBeGreaterThan(0);
  });

  test("lets a job that is nearly done finish, and takes no other", async () => {
    const { stage, order, desk, bus } = await openWith({ grace: 100 });
    const request = await order(join(examples, "hello"));
    let stopping: Promise<void> | undefined;
    desk.odd.set(new URL(request.upload_uri).pathname, (asked, response) => {
      stopping = shop.running.stop();
      asked.resume().on("end", () => response.end());
    });
    const result: StagingResult = await stage(request);
    expect(result.error).toBeUndefined();
    await stopping;
    expect(await bus.request(subjects.staging, request, { timeout: 200 })).toBeUndefined();
  });
});

describe("a stager that starts", () => {
  test("removes what one that was killed left behind", async () => {
    shop = await openShop();
    await shop.running.stop();
    const left = join(shop.home, "work", "old", "locked");
    await mkdir(left, { recursive: true });
    await writeFile(join(left, "file"), "", { mode: 0o400 });
    const again = await openShop({ home: shop.home });
    expect(await readdir(join(shop.home, "work"))).toEqual([]);
    await again.close();
  });

  test("ends the builds of one that was killed, and nobody else's", async () => {
    shop = await openShop();
    await shop.running.stop();
    const homes = [join(shop.home, "work/old/home"), shop.home];
    const [build, other] = homes.map((home) =>
      spawn("sleep", ["60"], { env: { HOME: home, PATH: process.env["PATH"] } }),
    );
    const ended = once(build as ChildProcess, "exit");
    const again = await openShop({ home: shop.home });
    expect(await ended).toEqual([null, "SIGKILL"]);
    expect(other?.kill(0)).toBe(true);
    other?.kill();
    await again.close();
  });

  test("shows itself, and counts what it does", async () => {
    const { stage, order, bus } = await openWith({});
    await stage(await order(join(examples, "hello")));
    await stage(await order({}));
    const [seen] = await bus.gather(subjects.discover, {}, { timeout: 5000, expected: 1 });
    expect(seen?.type).toBe("Stager");
    const authorization = `Basic ${Buffer.from(seen?.credentials.join(":") ?? "").toString("base64")}`;
    const response = await fetch(`http://${seen?.host}/varz`, { headers: { authorization } });
    expect(await response.json()).toMatchObject({ running: 0, waiting: 0, done: 1, failed: 1 });
  });
});

const system = "/usr/local/bin:/usr/bin:/bin";
const possible = process.getuid?.() === 0 && works("npm", ["--version"], system);

describe.skipIf(!possible)("builds of another user", () => {
  test("run as that user, in directories it can reach, and their files are packed", async () => {
    const { stage, order, home } = await openWith({
      user: { uid: 65534, gid: 65534 },
      path: system,
    });
    await chmod(join(home, ".."), 0o711);
    const program = 'console.log("uid " + process.getuid()); require("fs").writeFileSync("made", "")';
    const request = await order(building(program), { environment: ["npm_config_foreground_scripts=true"] });
    const result = await stage(request);
    expect(result.error).toBeUndefined();
    expect(result.task_log).toContain("uid 65534");
  });
});
