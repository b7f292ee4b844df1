import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { subjects } from "../../../agent/bus/subjects.ts";
import { commandSocket } from "../../../agent/router/commandSocket.ts";
import { type Answer, type App, app, eventually, type TestRouter, testRouter } from "../../support/router.ts";

let one: TestRouter;
const apps: App[] = [];
const serve = async (...args: Parameters<typeof app>) => {
  const made = await app(...args);
  apps.push(made);
  return made;
};
beforeAll(async () => {
  one = await testRouter({ beat: 50, accessLogBytes: 20_000 });
});
afterEach(async () => {
  for (const made of apps.splice(0)) await made.close();
});
afterAll(() => one.stop());

const ok = ({ status }: Answer) => status === 200;

async function haproxySays(command: string) {
  const { socket } = JSON.parse(await readFile(join(one.home, "haproxy.json"), "utf8"));
  const connection = await commandSocket(join(one.home, socket));
  const [answer = ""] = await connection.ask([command]);
  connection.close();
  return answer;
}

async function status(path: string, more: { authorization?: string } = {}) {
  const said = await one.peer.request(subjects.discover, {}, { timeout: 2000 });
  const authorization = `Basic ${Buffer.from(said?.credentials.join(":") ?? "").toString("base64")}`;
  return fetch(`http://${said?.host}${path}`, { headers: { authorization, ...more } });
}

// biome-ignore lint/suspicious/noExplicitAny: a page of many shapes, looked at key by key.
const varz = async (): Promise<any> => (await status("/varz")).json();

describe("a server that has left", () => {
  it("is removed from HAProxy once nothing is open to it", async () => {
    const a = await serve("a");
    for (let i = 0; i < 5; i++) {
      const more = { port: a.port, app: "leaves", private_instance_id: `leaves-${i}` };
      one.register("leaves.test", more);
      await one.answers("leaves.test", ok);
      one.unregister("leaves.test", more);
      await one.answers("leaves.test", ({ status }) => status === 503);
    }
    const servers = () => haproxySays("show servers state");
    await eventually(servers, (text) => !text.includes("leaves-"), 20_000);
  });

  it("and comes back before that serves again", async () => {
    const a = await serve("a");
    const more = { port: a.port, app: "back", private_instance_id: "back-1" };
    for (let i = 0; i < 10; i++) {
      one.register("back.test", more);
      await one.answers("back.test", ok);
      one.unregister("back.test", more);
      await one.answers("back.test", ({ status }) => status !== 200);
    }
  });
});

describe("an instance", () => {
  it("may have an IPv6 address", async () => {
    one.register("six.test", { host: "::1", port: 1, app: "six", private_instance_id: "six-1" });
    await one.answers("six.test", ({ status }) => status === 502);
    expect(await haproxySays("show servers state")).toMatch(/six-1 ::1 .* 1 - /);
  });

  it("that moves to another port keeps its name", async () => {
    const [a, b] = [await serve("a"), await serve("b")];
    one.register("moves.test", { port: a.port, app: "m", private_instance_id: "moves-1" });
    await one.answers("moves.test", ({ body }) => body === "a");
    one.unregister("moves.test", { port: a.port });
    one.register("moves.test", { port: b.port, app: "m", private_instance_id: "moves-1" });
    const answer = await one.answers("moves.test", ({ body }) => body === "b");
    expect(answer.status).toBe(200);
  });
});

describe("the status server", () => {
  it("tells collectors what they read from a router, and the routes", async () => {
    const a = await serve("a");
    one.register("status.test", { port: a.port, app: "st", private_instance_id: "st-1", private_instance_index: "0" });
    await one.answers("status.test", ok);
    await one.ask("nobody.test");
    const all = await eventually(varz, ({ responses_4xx, routes }) => responses_4xx > 0 && routes["status.test"]);
    expect(all).toMatchObject({ type: "Router", index: 0 });
    expect(all.responses_2xx).toBeGreaterThan(0);
    expect(all.urls).toBeGreaterThan(0);
    expect(all.droplets).toBeGreaterThan(0);
    expect(all.routes["status.test"]).toEqual([
      {
        address: `127.0.0.1:${a.port}`,
        tls: false,
        ttl: expect.toSatisfy((seconds: number) => seconds > 3 && seconds <= 6),
        app: "st",
        private_instance_id: "st-1",
        private_instance_index: "0",
        tags: {},
      },
    ]);
  });

  it("is healthy while HAProxy answers, goes on counting when it was killed, and knows no stranger", async () => {
    const health = async () => (await status("/healthz")).status;
    await eventually(health, (code) => code === 200);
    const before = (await varz()).requests;
    const pid = await one.pid();
    process.kill(pid, "SIGKILL");
    await eventually(one.pid, (now) => now !== pid);
    await eventually(health, (code) => code === 200);
    expect((await varz()).requests).toBeGreaterThanOrEqual(before);
    expect((await status("/varz", { authorization: "Basic bm86bm8=" })).status).toBe(401);
  });
});

describe("an access log that has grown to its size", () => {
  it("is begun anew without a line lost, and the old one lies beside it", async () => {
    const a = await serve("a");
    const path = join(one.home, "access.log");
    const old = () => readFile(`${path}.1`, "utf8").catch(() => "");
    one.register("long.test", { port: a.port, app: "long" });
    await one.answers("long.test", ok);
    const asked = async (n: number) => {
      for (let i = 0; i < n; i++) expect((await one.ask("long.test", { path: `/${n}/${i}` })).status).toBe(200);
    };
    const first = (await stat(path)).ino;
    const begun = () =>
      stat(path).then(
        ({ ino }) => ino,
        () => first,
      );
    await asked(100);
    await eventually(begun, (inode) => inode !== first);
    const text = await eventually(
      () => one.ask("long.test", { path: "/after" }).then(() => readFile(path, "utf8")),
      (all) => all.includes("/after "),
    );
    const lines = `${await old()}${text}`.split("\n");
    for (let i = 0; i < 100; i++) expect(lines.filter((line) => line.includes(`"GET /100/${i} `))).toHaveLength(1);
    expect(text).toMatch(/^# access log/);
    expect(text).not.toContain("\0");
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  });

  it("that is there already is continued at its end", async () => {
    const home = await mkdtemp(join(tmpdir(), "tutti-router-"));
    for (const round of [1, 2]) {
      const other = await testRouter({ home });
      await other.ask(`round${round}.test`);
      await other.stop();
    }
    const lines = (await readFile(join(home, "access.log"), "utf8")).split("\n");
    expect(lines.map((line) => line.split(" ")[0])).toEqual(["#", '"round1.test"', "#", '"round2.test"', ""]);
    await rm(home, { recursive: true });
  });
});
