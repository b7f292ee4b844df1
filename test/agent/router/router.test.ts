import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import type http from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type App, app, eventually, type TestRouter, testRouter } from "../../support/router.ts";

let one: TestRouter;
const apps: App[] = [];
const serve = async (...args: Parameters<typeof app>) => {
  const made = await app(...args);
  apps.push(made);
  return made;
};
beforeAll(async () => {
  one = await testRouter();
});
afterEach(async () => {
  for (const made of apps.splice(0)) await made.close();
});
afterAll(() => one.stop());

const ok = ({ status }: Answer) => status === 200;
const says = (body: string) => (answer: Answer) => answer.body === body;
const echo: http.RequestListener = (request, response) => response.end(JSON.stringify(request.headers));

describe("an app that registers", () => {
  it("is reached by its name, whatever the letter case and the port in the Host header", async () => {
    const a = await serve("a");
    one.register("Hello.Example.test", { port: a.port, app: "guid-a" });
    expect((await one.answers("hello.example.test:8080", ok)).body).toBe("a");
    expect((await one.ask("HELLO.example.TEST")).body).toBe("a");
  });

  it("shares its requests among its instances", async () => {
    const [a, b] = [await serve("a"), await serve("b")];
    one.register("two.test", { port: a.port, app: "two", private_instance_id: "two-a" });
    one.register("two.test", { port: b.port, app: "two", private_instance_id: "two-b" });
    await one.answers("two.test", says("a"));
    await one.answers("two.test", says("b"));
  });

  it("may register by a name of its host", async () => {
    const a = await serve("a");
    one.register("byname.test", { host: "localhost", port: a.port });
    await one.answers("byname.test", says("a"));
  });

  it("answers 503 once it has unregistered, and 404 when that is a while ago", async () => {
    const a = await serve("a");
    one.register("gone.test", { port: a.port, app: "gone" });
    await one.answers("gone.test", ok);
    one.unregister("gone.test", { port: a.port, app: "gone" });
    const soon = await one.answers("gone.test", ({ status }) => status === 503);
    expect(soon.headers["x-cf-routererror"]).toBe("no_endpoints");
    const later = await one.answers("gone.test", ({ status }) => status === 404);
    expect(later.headers["x-cf-routererror"]).toBe("unknown_route");
    expect(a.seen.length).toBe(1);
  });
});

describe("a name", () => {
  it("with a path goes to its own app, at whole segments only, the longest first", async () => {
    const [root, api, v2] = [await serve("root"), await serve("api"), await serve("v2")];
    one.register("paths.test", { port: root.port, app: "root" });
    one.register("paths.test/api", { port: api.port, app: "api" });
    one.register("paths.test/api/v2", { port: v2.port, app: "v2" });
    await one.answers("paths.test", says("v2"), { path: "/api/v2" });
    const at = async (path: string) => (await one.ask("paths.test", { path })).body;
    expect(await at("/")).toBe("root");
    expect(await at("/api")).toBe("api");
    expect(await at("/API/x?y=/api/v2")).toBe("api");
    expect(await at("/apis")).toBe("root");
    expect(await at("/api/v2/x")).toBe("v2");
    expect(await at("/api/v22")).toBe("api");
  });

  it("of which only a path is known is unknown elsewhere", async () => {
    const a = await serve("a");
    one.register("only.test/x", { port: a.port });
    await one.answers("only.test", ok, { path: "/x/y" });
    expect((await one.ask("only.test", { path: "/" })).status).toBe(404);
  });

  it("with a star serves every name below it, unless one is registered by itself", async () => {
    const [star, exact] = [await serve("star"), await serve("exact")];
    one.register("*.wild.test", { port: star.port });
    one.register("exact.wild.test", { port: exact.port });
    await one.answers("any.wild.test", says("star"));
    await one.answers("exact.wild.test", says("exact"));
    expect((await one.ask("a.b.wild.test")).body).toBe("star");
    expect((await one.ask("wild.test")).status).toBe(404);
  });

  it("that nobody has registered gets a page that says so, and JSON when it asks for that", async () => {
    const page = await one.ask("nobody.test");
    expect(page.status).toBe(404);
    expect(page.headers["x-cf-routererror"]).toBe("unknown_route");
    expect(page.body).toMatch(/nobody\.test/);
    expect(page.body).toMatch(/tutti routes/);
    const json = await one.ask("nobody.test", { headers: { accept: "application/json" } });
    expect(JSON.parse(json.body)).toMatchObject({ status_code: 404, error: "unknown_route" });
  });

  it("that is an attempt to write into the page is shown harmless", async () => {
    const page = await one.ask("<script>alert(1)</script>.test");
    expect(page.body).not.toMatch(/<script/);
    const json = await one.ask('a".test', { headers: { accept: "application/json" } });
    expect(JSON.parse(json.body).error).toBe("unknown_route");
  });
});

describe("what an app is told", () => {
  it("is who asks, how, under which id, and who it is itself", async () => {
    const a = await serve("a", echo);
    one.register("headers.test", { port: a.port, app: "guid-h", private_instance_id: "inst-h" });
    const lies = {
      "x-forwarded-for": "9.9.9.9",
      "x-forwarded-proto": "https",
      "x-vcap-request-id": "mine",
      "x-cf-applicationid": "mine",
      "x-cf-instanceid": "mine",
    };
    const answer = await one.answers("headers.test", ok, { headers: lies });
    const told = JSON.parse(answer.body);
    expect(told["x-forwarded-for"]).toBe("9.9.9.9, 127.0.0.1");
    expect(told["x-forwarded-proto"]).toBe("http");
    expect(told["x-cf-applicationid"]).toBe("guid-h");
    expect(told["x-cf-instanceid"]).toBe("inst-h");
    expect(told["x-vcap-request-id"]).toMatch(/^[0-9a-f-]{36}$/);
    expect(answer.headers["x-vcap-request-id"]).toBe(told["x-vcap-request-id"]);
    expect(told["host"]).toBe("headers.test");
  });

  it("can be aimed at one instance, and an aim at none is a 404 or a 400", async () => {
    const [a, b] = [await serve("a"), await serve("b")];
    const more = { app: "guid-aim" };
    one.register("aim.test", { ...more, port: a.port, private_instance_id: "aim-a", private_instance_index: "0" });
    one.register("aim.test", { ...more, port: b.port, private_instance_id: "aim-b", private_instance_index: "1" });
    const aimed = (to: string) => ({ headers: { "x-cf-app-instance": to } });
    await one.answers("aim.test", says("b"), aimed("guid-aim:1"));
    for (let i = 0; i < 5; i++) expect((await one.ask("aim.test", aimed("guid-aim:1"))).body).toBe("b");
    expect((await one.ask("aim.test", aimed("guid-aim:0"))).body).toBe("a");
    expect((await one.ask("aim.test", aimed("guid-aim:2"))).status).toBe(404);
    const wrong = await one.ask("aim.test", aimed("guid-aim"));
    expect([wrong.status, wrong.headers["x-cf-routererror"]]).toEqual([400, "invalid_cf_app_instance_header"]);
  });
});

describe("a session", () => {
  const session: (name: string, cookie: string) => http.RequestListener = (name, cookie) => (_request, response) =>
    response.setHeader("set-cookie", ["other=1", cookie]).end(name);

  it("stays at the instance that began it, and moves on when that is gone", async () => {
    const a = await serve("a", session("a", "JSESSIONID=x; Path=/; Secure; SameSite=Lax"));
    const b = await serve("b", session("b", "JSESSIONID=y; Path=/"));
    one.register("sticky.test", { port: a.port, app: "st", private_instance_id: "st-a" });
    one.register("sticky.test", { port: b.port, app: "st", private_instance_id: "st-b" });
    const first = await one.answers("sticky.test", says("a"));
    const cookie = first.headers["set-cookie"]?.find((text) => text.startsWith("__VCAP_ID__"));
    expect(cookie).toBe("__VCAP_ID__=st-a; Path=/; HttpOnly; Secure; SameSite=Lax");
    expect((await one.answers("sticky.test", says("b"))).headers["set-cookie"]?.at(-1)).toBe(
      "__VCAP_ID__=st-b; Path=/; HttpOnly",
    );
    const back = { headers: { cookie: "JSESSIONID=x; __VCAP_ID__=st-a" } };
    for (let i = 0; i < 6; i++) expect((await one.ask("sticky.test", back)).body).toBe("a");
    one.unregister("sticky.test", { port: a.port, app: "st" });
    await one.answers("sticky.test", says("b"), back);
  });

  it("is none for an app that sets other cookies only", async () => {
    const a = await serve("a", (_request, response) => response.setHeader("set-cookie", "NOTJSESSIONID=1").end("a"));
    one.register("plain.test", { port: a.port });
    expect((await one.answers("plain.test", ok)).headers["set-cookie"]).toEqual(["NOTJSESSIONID=1"]);
  });
});

describe("a WebSocket", () => {
  it("passes in both directions", async () => {
    const a = await serve("a");
    a.server.on("upgrade", ({ headers }, socket) => {
      const key = `${headers["sec-websocket-key"]}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash("sha1").update(key).digest("base64");
      const lines = ["Connection: Upgrade", "Upgrade: websocket", `Sec-WebSocket-Accept: ${accept}`];
      socket.write(`HTTP/1.1 101 Switching Protocols\r\n${lines.join("\r\n")}\r\n\r\n`);
      socket.on("data", (data: Buffer) => socket.write(`you said ${data}`));
      socket.on("error", () => {});
    });
    one.register("ws.test", { port: a.port });
    await one.answers("ws.test", ok);
    const client = connect(one.port, "127.0.0.1");
    client.write(
      "GET /chat HTTP/1.1\r\nHost: ws.test\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
    );
    const [head] = await once(client, "data");
    expect(`${head}`).toMatch(/101 Switching/);
    client.write("hello");
    expect(`${(await once(client, "data"))[0]}`).toBe("you said hello");
    client.destroy();
  });
});

describe("a request that could mean two things", () => {
  const raw = async (text: string) => {
    const client = connect(one.port, "127.0.0.1").setEncoding("latin1");
    let all = "";
    client.on("data", (part) => {
      all += part;
    });
    client.end(text);
    await once(client, "close");
    return all;
  };

  it.each([
    ["two lengths", "Content-Length: 1\r\nContent-Length: 2\r\n"],
    ["a length that is no number", "Content-Length: 1x\r\n"],
    ["a blank before the colon", "Content-Length : 3\r\n"],
    ["a NUL in a header", "X-A: a\0b\r\n"],
  ])("because of %s is refused and reaches no app", async (_what, line) => {
    const a = await serve("a");
    one.register("smuggle.test", { port: a.port });
    await one.answers("smuggle.test", ok);
    const before = a.seen.length;
    const answer = await raw(`POST / HTTP/1.1\r\nHost: smuggle.test\r\n${line}\r\nabc`);
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
    expect(a.seen.length).toBe(before);
  });

  it("because of both a length and chunks reaches the app with chunks only", async () => {
    const a = await serve("a", echo);
    one.register("both.test", { port: a.port });
    await one.answers("both.test", ok);
    const answer = await raw(
      "POST / HTTP/1.1\r\nHost: both.test\r\nContent-Length: 30\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\n\r\n",
    );
    expect(answer).toMatch(/"transfer-encoding":"chunked"/);
    expect(answer).not.toMatch(/content-length":/);
    expect(a.seen.some(({ url }) => url === "/evil")).toBe(false);
  });
});

describe("the access log", () => {
  it("has one line a request, without the query string, and belongs to nobody else", async () => {
    const a = await serve("a");
    one.register("logged.test", { port: a.port, app: "guid-l", private_instance_id: "inst-l" });
    const answer = await one.answers("logged.test", ok, { path: '/path"x?password=secret', method: "PUT" });
    const log = () => readFile(join(one.home, "access.log"), "utf8");
    const isLine = (each: string) => each.includes("logged.test") && each.includes(" 200 ");
    const text = await eventually(log, (all) => all.split("\n").some(isLine));
    const line = text.split("\n").find(isLine);
    expect(line).toMatch(
      /^"logged\.test" - \[\d\d\/\w{3}\/\d{4}:[\d:.]+\] "PUT \/path#22x HTTP\/1\.1" 200 \d+ \d+ "127/,
    );
    expect(line).toMatch(/response_time_ms:\d+ app_id:"guid-l" instance_id:"inst-l" vcap_request_id:[0-9a-f-]{36}/);
    expect(line).toContain(String(answer.headers["x-vcap-request-id"]));
    expect(text).not.toMatch(/secret/);
    expect(text).not.toMatch(/is (UP|DOWN)/);
  });
});
