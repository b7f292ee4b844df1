import type { ChildProcess } from "node:child_process";
import { readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type FakeCluster, fakeCluster, logLine, signIn } from "../support/cli.ts";
import { type Person, person } from "../support/tutti.ts";

let cluster: FakeCluster;
let me: Person;

beforeEach(async () => {
  cluster = await fakeCluster();
  me = await person();
});
afterEach(async () => {
  await cluster.close();
  await me.gone();
});

const password = { TUTTI_PASSWORD: "correct horse" };
const say = (line: string, options = {}) => me.tutti(line.split(" "), options);

async function logIn(): Promise<void> {
  await say(`target ${cluster.url}`);
  const { code, err } = await say("login me@example.com", { env: password });
  expect({ code, err }).toEqual({ code: 0, err: "" });
}

const loggedIn = () => signIn(cluster, me);

async function withApp(): Promise<string> {
  await loggedIn();
  const { out } = await me.tutti(["curl", "/v3/apps", "-d", '{"name":"hello"}']);
  return (JSON.parse(out) as { guid: string }).guid;
}

describe("finding the cluster", () => {
  test("without a target every command says how to get one", async () => {
    const { code, err } = await say("apps");
    expect(code).toBe(1);
    expect(err).toMatch(/^error: no cluster is targeted\nhint: tutti target URL/);
  });

  test("names below localhost are found although the system does not know them", async () => {
    expect((await say(`target ${cluster.url}`)).code).toBe(0);
    expect((await say("target --json")).json()).toMatchObject({ ok: true, target: cluster.url });
  });

  test("where nothing listens, the URL and the way to a cluster are named", async () => {
    const { code, err } = await say("target http://127.0.0.1:1");
    expect(code).toBe(1);
    expect(err).toContain(
      "error: nothing listens at http://127.0.0.1:1 (connection refused)\nhint: is the cluster up? npx tutti solo up",
    );
  });

  test("the router's own page for unknown hosts is recognised", async () => {
    const { err } = await say(`target http://nothing.tutti.localhost:${cluster.port}`);
    expect(err).toContain(`the router answers at nothing.tutti.localhost:${cluster.port}, but knows no such host`);
  });

  test("a web server that is no cluster is told as that", async () => {
    const server = createServer((_request, response) => response.setHeader("content-type", "text/html").end("<html>"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { err } = await say(`target http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    server.close();
    expect(err).toContain("answered with text/html instead of JSON (status 200)");
  });

  test("TUTTI_TARGET and STACKATO_TARGET win, and get none of the other cluster's tokens", async () => {
    await loggedIn();
    const { err } = await say("apps", { env: { STACKATO_TARGET: "http://127.0.0.1:1" } });
    expect(err).toContain("not logged in at http://127.0.0.1:1");
  });
});

describe("logging in", () => {
  test("keeps tokens but never the password, in a file of one's own", async () => {
    await logIn();
    const path = join(me.home, "config.json");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const text = await readFile(path, "utf8");
    expect(text).not.toContain("correct horse");
    expect(JSON.parse(text)).toMatchObject({
      target: cluster.url,
      user: "me@example.com",
      organization: { name: "acme" },
      space: { name: "dev" },
    });
  });

  test("takes the password from standard input", async () => {
    await say(`target ${cluster.url}`);
    expect((await say("login me@example.com --password-stdin", { input: "correct horse\n" })).code).toBe(0);
    expect((await say("apps")).code).toBe(0);
  });

  test("with a wrong password says so, and not what it was", async () => {
    await say(`target ${cluster.url}`);
    const { code, err, out } = await say("login me@example.com", { env: { STACKATO_PASSWORD: "hunter2" } });
    expect(code).toBe(1);
    expect(err).toContain("the cluster does not accept this password for me@example.com");
    expect(err + out).not.toContain("hunter2");
  });

  test("without a terminal or a password says where one may come from", async () => {
    await say(`target ${cluster.url}`);
    const { code, err } = await say("login me@example.com");
    expect(code).toBe(64);
    expect(err).toContain("hint: set TUTTI_PASSWORD, or: tutti login EMAIL --password-stdin < file");
  });

  test("an access token that is refused is renewed without a word", async () => {
    await logIn();
    cluster.tokens.clear();
    expect(await say("apps")).toMatchObject({ code: 0, err: "" });
    expect((await say("apps")).code).toBe(0);
    expect(cluster.asked.filter(({ body }) => body.includes("refresh_token")).length).toBe(1);
  });

  test("when the login is over it is said, and logging out forgets it", async () => {
    await logIn();
    cluster.tokens.clear();
    cluster.refresh.clear();
    expect((await say("apps")).err).toContain("error: the login has expired\nhint: tutti login");
    expect((await say("logout")).out).toContain("logged out me@example.com");
    expect(await readFile(join(me.home, "config.json"), "utf8")).not.toMatch(/token/i);
    expect((await say("apps")).err).toContain("not logged in at");
  });

  test("tokens are not shown when debugging", async () => {
    await logIn();
    const { err } = await say("apps", { env: { TUTTI_DEBUG: "1" } });
    expect(err).toMatch(/debug: GET http.*\/v3\/apps.* 200/);
    for (const token of [...cluster.tokens, ...cluster.refresh]) expect(err).not.toContain(token);
  });

  test("a damaged config says how to begin anew", async () => {
    await writeFile(join(me.home, "config.json"), "{");
    const { code, err } = await say("apps");
    expect(code).toBe(1);
    expect(err).toContain("hint: remove the file, then: tutti target URL and tutti login");
  });

  test("a cluster whose license step was not taken says so", async () => {
    await logIn();
    cluster.licensed = false;
    expect((await say("apps")).err).toContain("error: the cluster has no first user yet");
    expect((await say("ready")).err).toContain("not ready: the license step was not taken");
  });
});

describe("organizations and spaces", () => {
  test("with several spaces one has to be chosen, for once or for good, before or after the command", async () => {
    cluster.spaces = ["dev", "prod"];
    await say(`target ${cluster.url}`);
    expect((await say("login me@example.com", { env: password })).err).toContain(
      "note: there are 2 spaces; choose with -s SPACE: dev, prod",
    );
    expect((await say("apps")).err).toContain("there are 2 spaces");
    expect((await say("-s prod apps --json")).json()).toMatchObject({ space: "prod" });
    expect((await say("apps -s dev --group acme --json")).json()).toMatchObject({ space: "dev" });
    await say("target -s prod");
    expect((await say("apps --json")).json()).toMatchObject({ space: "prod" });
  });

  test("a space that is not there is named", async () => {
    await loggedIn();
    expect((await say("apps -s nowhere")).err).toContain('there is no space "nowhere" that you may see');
  });
});

describe("a list of many apps", () => {
  const many = async () => {
    await loggedIn();
    for (let each = 0; each < 12; each++) {
      const { out } = await me.tutti(["curl", "/v3/apps", "-d", `{"name":"app-${each}"}`]);
      await me.tutti(["curl", "-X", "POST", `/v3/apps/${(JSON.parse(out) as { guid: string }).guid}/actions/start`]);
    }
    cluster.asked.length = 0;
    const listed = JSON.parse((await say("apps --json")).out) as { apps: { running: number }[] };
    return { running: listed.apps.map((each) => each.running), asked: cluster.asked.map((each) => each.path) };
  };

  test("takes no more questions than a short one", async () => {
    const { running, asked } = await many();
    expect(running).toEqual(Array(12).fill(1));
    expect(asked.filter((path) => path.includes("/stats"))).toEqual([]);
    expect(asked.length).toBeLessThan(12);
  });

  test("is counted app by app where the cluster cannot count", async () => {
    cluster.counts = false;
    const { running, asked } = await many();
    expect(running).toEqual(Array(12).fill(1));
    expect(asked.filter((path) => path.includes("/stats"))).toHaveLength(12);
  });
});

describe("an app that is there", () => {
  test("shows its command, although lists hide it", async () => {
    const guid = await withApp();
    await me.tutti(["curl", "-X", "PATCH", `/v3/processes/${guid}`, "-d", '{"command":"node mine.js"}']);
    expect((await say("app hello")).out).toContain("command: node mine.js");
  });

  test("is restarted for another size when it runs, and says so", async () => {
    const guid = await withApp();
    await me.tutti(["curl", "-X", "POST", `/v3/apps/${guid}/actions/start`]);
    cluster.asked.length = 0;
    const { out, err } = await say("scale hello --mem 512M");
    expect(out + err).toContain("restarting hello");
    expect(cluster.asked.map((each) => `${each.method} ${each.path}`)).toContain("POST /v3/deployments");
  });

  test("is scaled, and scaling to what it has changes nothing", async () => {
    await withApp();
    expect((await say("scale hello")).out).toBe("hello (web): 1 instance, 256M memory, 1G disk\n");
    expect((await say("scale hello -i 3 --mem 512M")).out).toBe("hello (web): 3 instances, 512M memory, 1G disk\n");
    expect((await say("mem hello 512M")).out).toContain("nothing to change");
  });

  test("that has no place for more instances is scaled, and how many run is told", async () => {
    const guid = await withApp();
    await me.tutti(["curl", "-X", "POST", `/v3/apps/${guid}/actions/start`]);
    cluster.behaviour = "homeless";
    const { out, err, code } = await say("scale hello -i 4");
    cluster.behaviour = "runs";
    expect({ code, out }).toEqual({ code: 0, out: expect.stringContaining("4 instances") });
    expect(err).toContain("0 of 4 run so far (no DEA has 256 MiB free): tutti app hello");
  });

  test("gets variables, from standard input too, and their values are not repeated", async () => {
    await withApp();
    await say("set-env hello MODE fast");
    const { out } = await say("set-env hello KEY -", { input: "s3cret\n" });
    expect(out).toBe("KEY is set\n");
    expect((await say("env hello --json")).json()).toMatchObject({ env: { MODE: "fast", KEY: "s3cret" } });
    expect((await say("set-env hello MODE fast")).out).toContain("nothing to change");
    await say("unset-env hello KEY");
    expect((await say("env hello")).out).toBe("MODE: fast\n");
  });

  test("gets an address that another app has, and is told so", async () => {
    await withApp();
    await say("map hello shop.tutti.localhost");
    cluster.apps.set("other", { guid: "other", name: "other", state: "STOPPED", env: {} });
    const ran = await say("map other shop.tutti.localhost");
    expect(ran.out).toMatch(/^other answers at http:\S+, which it shares with hello: requests go to all of them\n$/);
    expect((await say("map hello shop.tutti.localhost --json")).json()).toMatchObject({
      changed: false,
      shared: ["other"],
    });
  });

  test("gets and loses addresses; one in a strange domain is refused", async () => {
    await withApp();
    expect((await say("map hello shop.tutti.localhost")).out).toBe(
      `hello answers at http://shop.tutti.localhost:${cluster.port}/\n`,
    );
    expect((await say("map hello shop.tutti.localhost --json")).json()).toMatchObject({ ok: true, changed: false });
    expect((await say("routes")).out).toContain(`http://shop.tutti.localhost:${cluster.port}/  hello`);
    expect((await say("unmap hello shop.tutti.localhost")).code).toBe(0);
    expect(cluster.routes.size).toBe(0);
    const strange = await say("map hello shop.example.org");
    expect(strange.code).toBe(64);
    expect(strange.err).toContain("hint: known domains: tutti.localhost");
  });

  test("is stopped; stopping it again is no error", async () => {
    const guid = await withApp();
    await say(`curl /v3/apps/${guid}/actions/start -X POST`);
    expect((await say("stop hello --json")).json()).toMatchObject({ ok: true, changed: true });
    expect((await say("stop hello --json")).json()).toMatchObject({ ok: true, changed: false });
  });

  test("that was never built cannot be started, and the way is named", async () => {
    await withApp();
    expect((await say("start hello")).err).toContain("error: hello has nothing to run yet\nhint: tutti push hello");
  });

  test("is shown as what it is when it crashes, and when there is no room", async () => {
    const guid = await withApp();
    await say(`curl /v3/apps/${guid}/actions/start -X POST`);
    cluster.behaviour = "crashes";
    expect((await say("app hello")).out).toMatch(/0 {2}crashed .*exit status 1: exited at once/);
    expect((await say("crashes hello")).out).toContain("web 0 is crashed: exit status 1: exited at once");
    cluster.behaviour = "homeless";
    expect((await say("app hello")).out).toMatch(/0 {2}down .*no DEA has 256 MiB free/);
  });

  test("is deleted with its addresses, when that is meant", async () => {
    await withApp();
    await say("map hello hello.tutti.localhost");
    const { out } = await say("delete hello --force");
    expect(out).toBe("hello is deleted; free again: hello.tutti.localhost\n");
    expect(cluster.apps.size + cluster.routes.size).toBe(0);
  });

  test("whose name is misspelt is found in what there is", async () => {
    await withApp();
    expect((await say("app helo")).err).toContain(
      'error: there is no app "helo" in acme / dev\nhint: did you mean hello?',
    );
  });
});

describe("logs", () => {
  test("of the past are shown in order, errors told apart, without control over the terminal", async () => {
    const guid = await withApp();
    logLine(cluster, guid, "APP/PROC/WEB", "first");
    logLine(cluster, guid, "APP/PROC/WEB", "\u001b[2Jsecond", true);
    logLine(cluster, guid, "STG", "built");
    const { out } = await say("logs hello --recent");
    expect(out.split("\n").map((line) => line.slice(23))).toEqual([
      "[APP/PROC/WEB/0] OUT first",
      "[APP/PROC/WEB/0] ERR [2Jsecond",
      "[STG] OUT built",
      "",
    ]);
    expect((await say("logs hello --recent --source stg")).out).toContain("built");
    expect((await say("logs hello --recent -n 1 --json")).json()).toMatchObject({
      source: "STG",
      text: "built",
      err: false,
    });
  });

  test("are followed until they are interrupted", async () => {
    const guid = await withApp();
    logLine(cluster, guid, "APP/PROC/WEB", "before");
    const ran = await say("logs hello", {
      during: (child: ChildProcess) => {
        child.stdout?.once("data", () => logLine(cluster, guid, "APP/PROC/WEB", "while following"));
        child.stdout?.on("data", (text: string) => text.includes("while following") && child.kill("SIGINT"));
      },
    });
    expect(ran.out).toMatch(/before\n.*while following\n$/);
    expect(ran.err).toBe("");
  });
});

describe("the cluster itself", () => {
  beforeEach(loggedIn);

  test("shows roles by node and the health of components", async () => {
    const { code, out } = await say("status");
    expect(code).toBe(0);
    expect(out).toMatch(/NODE +STATE +CORE +ROUTER\nsolo-0 +up +ok +ok\n/);
    expect(out).toMatch(/router +0 +127\.0\.0\.1:1 +\S+ +healthy/);
  });

  test("lists nodes, roles and components, and knows what is assigned and available", async () => {
    expect((await say("node list --json")).json()).toMatchObject({
      ok: true,
      nodes: [{ id: "solo-0", roles: ["core", "router"] }],
    });
    expect((await say("role list")).out).toMatch(/router +solo-0 /);
    expect((await say("role info router")).out).toMatch(/role: +router\n/);
    expect((await say("process list")).out).toContain("router");
    expect((await say("info --json")).json()).toMatchObject({
      domain: "tutti.localhost",
      assigned: ["core", "router"],
    });
  });

  test("is ready, as a whole and in parts", async () => {
    expect((await say("ready")).out).toBe("READY\n");
    expect((await say("process ready all --block 5")).out).toBe("READY\n");
    expect((await say("process ready router")).code).toBe(0);
    const { code, err } = await say("process ready dea");
    expect(code).toBe(1);
    expect(err).toContain("not ready: dea: 0 of 1 are there and healthy");
  });

  test("events and traces are shown, and the API can be called by hand", async () => {
    expect((await say("events")).out).toMatch(/app\.create +me@example\.com +hello/);
    await say('curl /v3/apps -d {"name":"hello"}');
    expect((await say("trace push hello")).out).toMatch(/\+510 +7 an available DEA responds +dea\.abc\.start/);
    const wrong = await say("curl /v3/nowhere -i");
    expect(wrong.code).toBe(1);
    expect(wrong.out).toContain("404");
  });
});

describe("waiting for a cluster that is not there", () => {
  let nobody: Person;
  beforeAll(async () => {
    nobody = await person();
  });
  afterAll(() => nobody.gone());

  test("ends when the time is over, with what was missing", async () => {
    const env = { TUTTI_TARGET: "http://127.0.0.1:1" };
    const { code, err } = await nobody.tutti(["ready", "--block", "1"], { env });
    expect(code).toBe(1);
    expect(err).toContain("waiting: nothing listens at http://127.0.0.1:1");
    expect(err).toContain("error: not ready: nothing listens");
  });
});
