import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { inspectZip } from "../../../agent/archive/zip.ts";
import { type FakeCluster, fakeCluster, logLine, sha1, signIn } from "../../support/cli.ts";
import { type Person, person, type RunOptions } from "../../support/tutti.ts";

let cluster: FakeCluster;
let me: Person;
let app: string;

beforeEach(async () => {
  cluster = await fakeCluster();
  me = await person();
  app = await mkdtemp(join(tmpdir(), "tutti-app-"));
  await writeFile(join(app, "package.json"), '{"scripts":{"start":"node app.js"}}');
  await writeFile(join(app, "app.js"), "// hello");
  await signIn(cluster, me);
});
afterEach(async () => {
  await cluster.close();
  await me.gone();
  await rm(app, { recursive: true, force: true });
});

const push = (line: string, options: RunOptions = {}) =>
  me.tutti(["push", ...line.split(" ").filter(Boolean)], { cwd: app, ...options });
const theApp = () => [...cluster.apps.values()][0];
const theProcess = () => [...cluster.processes.values()][0];

/** The zip in the last upload's multipart body. */
async function uploaded(): Promise<string[]> {
  const bytes = [...cluster.packages.values()].at(-1)?.bytes ?? Buffer.alloc(0);
  const head = bytes.indexOf("application/zip\r\n\r\n") + "application/zip\r\n\r\n".length;
  const path = join(app, "..", `${sha1(bytes)}.zip`);
  await writeFile(path, bytes.subarray(head, bytes.lastIndexOf("\r\n--")));
  try {
    return (await inspectZip(path)).map(({ name }) => name);
  } finally {
    await rm(path);
  }
}

describe("the first push of an app", () => {
  test("takes every step, says how long it took, and ends with the address that answers", async () => {
    const { code, out, err } = await push("hello --memory 128M -i 2 -e MODE=fast -b nodejs");
    expect(code).toBe(0);
    const shown = [...err.matchAll(/^ *(\d+) {2}([\w ]+?) +\d+\.\d+ s/gm)].map(([, number, name]) => [
      Number(number),
      name,
    ]);
    const names = ["push", "create app", "upload", "framework detection", "staging", "droplet creation"];
    expect(shown.slice(0, 6)).toEqual(names.map((name, at) => [at + 1, name]));
    expect(shown.slice(6).map(([number]) => number)).toEqual(shown.slice(6).map((_, at) => at + 7));
    expect(shown.map(([, name]) => name)).toEqual(expect.arrayContaining(["app starts", "route"]));
    expect(err).toContain("     | $ npm ci\n");
    expect(out).toMatch(
      new RegExp(
        `^hello: +running\nurl: +http://hello\\.tutti\\.localhost:${cluster.port}/\ninstances: 2/2 web\nmemory: +128M each\ntime: +`,
      ),
    );
    expect(theApp()).toMatchObject({ name: "hello", state: "STARTED", env: { MODE: "fast" } });
    expect(theProcess()).toMatchObject({ instances: 2, memory_in_mb: 128 });
    expect(await uploaded()).toEqual(["app.js", "package.json"]);
  });

  test("with --json ends with an object for programs", async () => {
    const ran = await push("hello --json");
    expect(ran.out.trim().split("\n")).toHaveLength(1);
    expect(ran.json()).toMatchObject({
      ok: true,
      app: "hello",
      guid: theApp()?.guid,
      url: `http://hello.tutti.localhost:${cluster.port}/`,
      strategy: "start",
      seconds: expect.any(Number),
      steps: expect.arrayContaining([{ number: 2, name: "create app", seconds: expect.any(Number) }]),
    });
  });

  test("follows the manifest, and options go before it", async () => {
    await writeFile(
      join(app, "manifest.yml"),
      "applications:\n- name: shop\n  memory: 1G\n  instances: 3\n  env: { A: one, B: two }\n  routes: [{ route: www.tutti.localhost }]\n  colour: red\n",
    );
    const { code, err, out } = await push("-m 64M -e B=2");
    expect(code).toBe(0);
    expect(err).toContain("manifest.yml: applications[0].colour is not known and does nothing");
    expect(theApp()).toMatchObject({ name: "shop", env: { A: "one", B: "2" } });
    expect(theProcess()).toMatchObject({ instances: 3, memory_in_mb: 64 });
    expect(out).toContain(`http://www.tutti.localhost:${cluster.port}/`);
    expect(await uploaded()).not.toContain("manifest.yml");
  });

  test("says of an address that another app has that it is shared", async () => {
    await push("hello");
    const { err } = await push("other --hostname hello");
    expect(err).toContain("note: hello.tutti.localhost leads to hello too: requests go to all of them\n");
  });

  test("of several apps in one manifest takes all, or the one that is named", async () => {
    for (const name of ["a", "b"]) {
      await mkdir(join(app, name));
      await writeFile(join(app, name, "index.html"), name);
    }
    await writeFile(join(app, "manifest.yml"), "applications:\n- { name: one, path: a }\n- { name: two, path: b }\n");
    expect((await push("two")).code).toBe(0);
    expect([...cluster.apps.values()].map(({ name }) => name)).toEqual(["two"]);
    expect((await push("")).code).toBe(0);
    expect([...cluster.apps.values()].map(({ name }) => name)).toEqual(["two", "one"]);
    expect((await push("three")).err).toContain('the manifest has no app "three"');
    expect((await push("-m 1G")).err).toContain("--memory is for one app, the manifest has several");
  });

  test("reads stackato.yml", async () => {
    await writeFile(join(app, "stackato.yml"), `name: wiki\nmem: 64\nurl: \${name}.\${target-base}\n`);
    expect((await push("")).out).toContain(`http://wiki.tutti.localhost:${cluster.port}/`);
    expect(theProcess()).toMatchObject({ memory_in_mb: 64 });
  });

  test("with --no-start leaves it uploaded, and start builds and runs it", async () => {
    expect((await push("hello --no-start")).out).toBe("hello is uploaded; start it: tutti start hello\n");
    expect(theApp()?.state).toBe("STOPPED");
    expect((await me.tutti(["start", "hello"])).out).toContain("hello is running");
    expect(theApp()?.state).toBe("STARTED");
  });

  test("with --no-route has no address", async () => {
    expect((await push("hello --no-route --json")).json()).toMatchObject({ url: null, urls: [] });
    expect(cluster.routes.size).toBe(0);
  });
});

describe("a push of what is there already", () => {
  test("rolls the running version over and keeps its addresses", async () => {
    await push("hello --hostname shop");
    const ran = await push("hello --json");
    expect(ran.json()).toMatchObject({
      ok: true,
      strategy: "rolling",
      url: `http://shop.tutti.localhost:${cluster.port}/`,
    });
    expect(cluster.routes.size).toBe(1);
    expect(cluster.apps.size).toBe(1);
  });

  test("restarts when that is asked for, or when nothing of it runs", async () => {
    await push("hello");
    expect((await push("hello --strategy restart --json")).json()).toMatchObject({ strategy: "restart" });
  });

  test("sends only what the cluster does not know", async () => {
    const large = "x".repeat(100_000);
    await writeFile(join(app, "large.txt"), large);
    cluster.resources.add(sha1(Buffer.from(large)));
    expect((await push("hello")).err).toContain("1 of 3 files are known there already");
    expect(await uploaded()).toEqual(["app.js", "package.json"]);
    expect([...cluster.packages.values()].at(-1)?.bytes?.toString()).toContain('"path":"large.txt"');
  });

  test("takes up what an interrupted push left", async () => {
    await push("hello --no-start", {
      during: (child) =>
        child.stderr?.on("data", (text: string) => text.includes("create app") && child.kill("SIGKILL")),
    });
    expect(cluster.apps.size).toBe(1);
    const { code, err } = await push("hello");
    expect(err).toContain("is there, will be updated");
    expect(code).toBe(0);
  });

  test("takes back a deployment that was left under way", async () => {
    await push("hello");
    const guid = "left";
    cluster.deployments.set(guid, { guid, status: { value: "ACTIVE", reason: "DEPLOYING" } });
    const { code, err } = await push("hello");
    expect(err).toContain("taking back a deployment that is still under way");
    expect(code).toBe(0);
  });
});

describe("a push that fails", () => {
  test("in staging shows what staging said, and the reason", async () => {
    cluster.behaviour = "unstageable";
    const { code, err, out } = await push("hello");
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(err).toContain("     | npm error missing lockfile\n");
    expect(err).toContain("error: staging failed: npm ci failed with exit code 1\nhint: mend it and push again");
  });

  test("in staging says that the running version goes on", async () => {
    await push("hello");
    cluster.behaviour = "unstageable";
    expect((await push("hello")).err).toContain("hint: the version that runs goes on; mend it");
    expect(theApp()?.state).toBe("STARTED");
  });

  test("because the app exits at once shows why, and its last words", async () => {
    cluster.behaviour = "crashes";
    const ran = await push("hello --json", {
      during: (child) =>
        child.stderr?.on("data", (text: string) => {
          if (text.includes("droplet creation"))
            logLine(cluster, theApp()?.guid ?? "", "APP/PROC/WEB", "TypeError: no such thing", true);
        }),
    });
    expect(ran.code).toBe(1);
    expect(ran.json()).toMatchObject({
      ok: false,
      error: { code: "start_crashed", message: "the app crashed: exit status 1: exited at once" },
    });
    expect(ran.err).toContain("hint: tutti logs hello --recent");
  });

  test("because no DEA has room says so after a while", async () => {
    cluster.behaviour = "homeless";
    const { code, err } = await push("hello");
    expect(code).toBe(1);
    expect(err).toContain("error: no place for the app: no DEA has 256 MiB free");
  });

  test("because the directory is empty or not there makes no app", async () => {
    expect((await push("hello --path nowhere")).err).toContain(
      "error: --path: there is no directory nowhere\nhint: name",
    );
    await mkdir(join(app, "void"));
    expect((await push("hello --path void")).err).toContain("error: there is nothing to push");
    expect(cluster.apps.size).toBe(0);
  });

  test("because an address is refused leaves no app behind, and no other address", async () => {
    const { code, err } = await push("api");
    expect(code).toBe(1);
    expect(err).toMatch(
      /error: api\.tutti\.localhost cannot be had: Route conflicts with a reserved .*\nhint: choose another host \(of a push: --hostname/,
    );
    expect((await push("hello --url www.tutti.localhost --url api.tutti.localhost")).code).toBe(1);
    expect([cluster.apps.size, cluster.routes.size]).toEqual([0, 0]);
  });

  test("because no host can be made of its name makes no app; accents are no reason", async () => {
    const { err } = await push("привет");
    expect(err).toMatch(/error: no host name can be made of "привет"\nhint: give one: --hostname HOST/);
    expect(cluster.apps.size).toBe(0);
    expect((await push("ünï --json")).json()).toMatchObject({ url: `http://uni.tutti.localhost:${cluster.port}/` });
  });

  test("because an address is in no domain makes nothing", async () => {
    const { code, err } = await push("hello --url shop.example.org");
    expect(code).toBe(64);
    expect(err).toContain("hint: known domains: tutti.localhost");
    expect(cluster.routes.size).toBe(0);
  });
});
