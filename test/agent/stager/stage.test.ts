import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { once } from "node:events";
import { readdir, readFile, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { subjects } from "../../../agent/bus/subjects.ts";
import { answerOf, freePort, unpack } from "../../support/droplet.ts";
import { examples, failure, openShop, type Shop } from "../../support/stager.ts";

let shop: Shop;
beforeAll(async () => {
  shop = await openShop();
});
afterAll(() => shop.close());

const sha1 = (bytes: Buffer) => createHash("sha1").update(bytes).digest("hex");

describe("a staging that succeeds", () => {
  test("makes a droplet of the hello example, without calling npm, that answers", async () => {
    const request = await shop.order(join(examples, "hello"));
    const result = await shop.stage(request);
    expect(result).toMatchObject({
      detected_buildpack: "nodejs",
      detected_start_command: "node server.js",
      procfile: { web: "node server.js" },
      droplet_sha1: sha1(shop.droplet(request)),
    });
    expect(result.error).toBeUndefined();
    expect(result.task_id).toMatch(/^[0-9a-f]{32}$/);
    expect(result.task_log).not.toContain("$ npm");
    const droplet = await unpack(shop.droplet(request));
    expect(droplet.names).toEqual(
      expect.arrayContaining(["./startup", "./droplet.yaml", "./logs/", "./app/", "./app/server.js"]),
    );
    expect(await answerOf(droplet)).toBe("hello from instance 0\n");
    await droplet.remove();
  });

  test("makes a startup that becomes the app, so that the app gets the signals", async () => {
    const request = await shop.order(join(examples, "hello"));
    await shop.stage(request);
    const droplet = await unpack(shop.droplet(request));
    const env = { PATH: process.env["PATH"] ?? "" };
    const app = spawn(join(droplet.root, "startup"), ["-p", String(await freePort())], { env });
    expect(String((await once(app.stdout, "data"))[0])).toContain("instance 0 listens");
    app.kill("SIGTERM");
    expect(await once(app, "exit")).toEqual([0, null]);
    await droplet.remove();
  });

  test("tells the person who pushes each line, as log messages of the app and in the task log", async () => {
    const request = await shop.order(join(examples, "hello"));
    const result = await shop.stage(request);
    const mine = shop.logs.filter((one) => one.app === request.app_id);
    const texts = mine.flatMap((one) => one.lines.map((line) => line.text));
    expect(new Set(mine.map((one) => one.source))).toEqual(new Set(["STG"]));
    expect(texts).toContain("Framework: nodejs (there is a package.json)");
    expect(texts).toContain("Process web: node server.js");
    expect(result.task_log.trim().split("\n")).toEqual(texts);
  });

  test("serves the static example with the server that travels in the droplet", async () => {
    const request = await shop.order(join(examples, "static"));
    expect(await shop.stage(request)).toMatchObject({ detected_buildpack: "static" });
    const droplet = await unpack(shop.droplet(request));
    expect(await answerOf(droplet)).toContain("<h1>hello</h1>");
    await droplet.remove();
  });

  test("reports every process type of the worker example, and its startup runs each", async () => {
    const request = await shop.order(join(examples, "worker"));
    const result = await shop.stage(request);
    expect(result.procfile).toEqual({ web: "node web.js", worker: "node worker.js" });
    const droplet = await unpack(shop.droplet(request));
    expect(await answerOf(droplet)).toBe("hello from the web process\n");
    expect(await answerOf(droplet, "FOO=1 node web.js && echo")).toBe("hello from the web process\n");
    await droplet.remove();
  });

  test("leaves nothing of its workspace behind", async () => {
    await shop.stage(await shop.order(join(examples, "hello")));
    expect(await readdir(join(shop.home, "work"))).toEqual([]);
    expect((await stat(shop.home)).mode & 0o777).toBe(0o700);
  });

  test("makes the same bytes of the same bits", async () => {
    for (const app of ["hello", "static"]) {
      const results = [];
      for (const turn of [1, 2]) results.push({ turn, ...(await shop.stage(await shop.order(join(examples, app)))) });
      expect(results[0]?.droplet_sha1).toMatch(/^[0-9a-f]{40}$/);
      expect(results[1]?.droplet_sha1).toBe(results[0]?.droplet_sha1);
    }
  });

  test("takes the framework and the command it is asked to take", async () => {
    const files = { "package.json": '{"scripts":{"start":"node x.js"}}', "index.html": "<p>site</p>" };
    const asStatic = await shop.stage(await shop.order(files, { framework: "staticfile_buildpack" }));
    expect(asStatic).toMatchObject({ detected_buildpack: "static" });
    const commanded = await shop.stage(await shop.order(files, { meta: { command: "node y.js" } }));
    expect(commanded).toMatchObject({ detected_buildpack: "nodejs", detected_start_command: "node y.js" });
  });

  test("keeps the name and password of a URL out of everything but the request's header", async () => {
    const request = await shop.order(join(examples, "hello"));
    const path = new URL(request.download_uri).pathname;
    const seen: (string | undefined)[] = [];
    shop.desk.odd.set(path, (asked, response) => {
      seen.push(asked.headers.authorization);
      response.writeHead(401).end();
    });
    const url = request.download_uri.replace("http://", "http://stg:s%40crt@");
    const result = await shop.stage({ ...request, download_uri: url });
    expect(seen).toEqual([`Basic ${Buffer.from("stg:s@crt").toString("base64")}`]);
    expect(JSON.stringify(result) + JSON.stringify(shop.logs)).not.toContain("crt");
  });
});

describe("how the answer travels", () => {
  test("a request without notify_subj is answered on its reply subject", async () => {
    const request = await shop.order(join(examples, "hello"));
    const result = await shop.bus.request(subjects.staging, request, { timeout: 20_000 });
    expect(result?.droplet_sha1).toBe(sha1(shop.droplet(request)));
  });

  test("a request that names its inbox twice hears one answer", async () => {
    const request = await shop.order({});
    const heard: unknown[] = [];
    const first = Promise.withResolvers<void>();
    const inbox = { ...subjects.stagingDone, name: "_INBOX.me.1" };
    const sub = shop.bus.subscribe(inbox, (result) => {
      heard.push(result);
      first.resolve();
    });
    shop.bus.publish({ ...subjects.staging }, { ...request, notify_subj: inbox.name }, { reply: inbox.name });
    await first.promise;
    await shop.stage(await shop.order({}));
    expect(heard).toHaveLength(1);
    sub.stop();
  });

  test("an app id that is no token of a subject gets its answer and no log lines", async () => {
    const result = await shop.stage({ ...(await shop.order(join(examples, "hello"))), app_id: "a.>" });
    expect(result.error).toBeUndefined();
    expect(shop.logs.some((one) => one.app === "a.>")).toBe(false);
  });
});

describe("bits that cannot be staged", () => {
  test("nothing recognisable: says what to put there", async () => {
    const { class: kind, details } = failure(await shop.stage(await shop.order({ "notes.txt": "hm" })));
    expect(kind).toBe("VCAP::Stager::StagingPluginError");
    expect(details).toBe(
      "cannot tell what this is; put a package.json, requirements.txt, pyproject.toml, index.html or Procfile there",
    );
  });

  test("an unknown framework: lists the known ones", async () => {
    const result = await shop.stage(await shop.order({ "index.html": "" }, { framework: "cobol" }));
    expect(failure(result).details).toContain("known: nodejs, python, static, procfile");
  });

  test("bits that are not there: the controller's answer is told", async () => {
    const request = await shop.order({});
    const result = await shop.stage({ ...request, download_uri: `${shop.desk.url}/bits/none` });
    expect(failure(result)).toEqual({
      class: "VCAP::Stager::AppDownloadError",
      details: "the app's bits cannot be downloaded: the controller answered 404: there are no bits",
    });
  });

  test("a controller that dies in the middle of the download: told as that, nothing uploaded", async () => {
    const request = await shop.order({});
    shop.desk.odd.set(new URL(request.download_uri).pathname, (_asked, response) => {
      response.writeHead(200, { "content-length": "100000" });
      response.write("PK", () => response.destroy());
    });
    expect(failure(await shop.stage(request)).class).toBe("VCAP::Stager::AppDownloadError");
    expect(shop.droplet(request)).toHaveLength(0);
  });

  test("a controller that is not there: says where it was looked for", async () => {
    const request = await shop.order({});
    const { details } = failure(await shop.stage({ ...request, download_uri: "http://127.0.0.1:9/bits" }));
    expect(details).toMatch(/cannot be downloaded: .*(9|port)/);
  });

  test("a refused upload is a failed staging", async () => {
    const request = await shop.order(join(examples, "hello"));
    shop.desk.odd.set(new URL(request.upload_uri).pathname, (asked, response) => {
      asked.resume();
      response.writeHead(507).end("no room");
    });
    expect(failure(await shop.stage(request))).toEqual({
      class: "VCAP::Stager::DropletUploadError",
      details: "the droplet cannot be uploaded: the controller answered 507: no room",
    });
  });

  test("something that is no zip", async () => {
    const request = await shop.order({});
    shop.desk.bits.set(new URL(request.download_uri).pathname, join(examples, "hello/server.js"));
    expect(failure(await shop.stage(request)).class).toBe("VCAP::Stager::AppUnzipError");
  });

  test("an archive that climbs out of its directory: refused with the reason, nothing written outside", async () => {
    const request = await shop.order({ "safe.txt": "1", "AA/AA/AA/evil.txt": "2" });
    const path = shop.desk.bits.get(new URL(request.download_uri).pathname) ?? "";
    const zip = (await readFile(path, "latin1")).replaceAll("AA/AA/AA/evil.txt", "../../../evil.txt");
    shop.desk.odd.set(new URL(request.download_uri).pathname, (_asked, response) => response.end(zip, "latin1"));
    const { class: kind, details } = failure(await shop.stage(request));
    expect(kind).toBe("VCAP::Stager::AppUnzipError");
    expect(details).toContain("../../../evil.txt");
    const written = await readdir(dirname(shop.home), { recursive: true });
    expect(written.filter((name) => name.includes("evil"))).toEqual([]);
  });
});
