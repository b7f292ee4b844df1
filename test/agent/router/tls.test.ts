import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import http from "node:http";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, expect, it } from "vitest";
import type { Tls } from "../../../agent/bus/web.ts";
import { newAuthority, tlsOf } from "../../support/joined.ts";
import { recordingLog } from "../../support/recordingLog.ts";
import { app, type TestRouter, testRouter } from "../../support/router.ts";
import { until } from "../../support/until.ts";

const authority = newAuthority();
const ca = authority.certificate;
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A backend that speaks TLS only. */
async function secure(name: string, tls: Tls = tlsOf(authority, { node: "ctl-0" }), port = 0) {
  const server = https.createServer({ key: tls.key, cert: tls.cert }, (_request, response) => response.end(name));
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  const close = async () => {
    if (!server.listening) return;
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  };
  closing.push(close);
  return { port: (server.address() as AddressInfo).port, server, close };
}

async function router(more: Parameters<typeof testRouter>[0] = {}): Promise<TestRouter> {
  const one = await testRouter({ ca, ...more });
  closing.push(() => one.stop());
  return one;
}

const san = "ctl-0";
const via = (tls_port: number, server_cert_domain_san: string | undefined = san) => ({
  ...{ port: 0, tls_port },
  ...(server_cert_domain_san ? { server_cert_domain_san } : {}),
});
const says = (text: string) => (answer: { body: string }) => answer.body === text;

describe("a backend that speaks TLS", () => {
  it("is spoken to so, and its clients in HTTP", async () => {
    const one = await router();
    const { port } = await secure("hello");
    one.register("api.test", via(port));
    await one.answers("api.test", says("hello"));
  });

  it("is found again after a restart of the router, by what HAProxy's files say", async () => {
    const home = await mkdtemp(join(tmpdir(), "tutti-router-tls-"));
    closing.push(() => rm(home, { recursive: true, force: true }));
    const { port } = await secure("hello");
    const first = await router({ home });
    first.register("api.test", via(port));
    await first.answers("api.test", says("hello"));
    await first.stop();
    const second = await router({ home });
    await second.answers("api.test", says("hello"));
    expect(await readFile(join(home, "haproxy.cfg"), "utf8")).toMatch(
      /ssl verify required verifyhost ctl-0 ca-file ca\.pem/,
    );
  });

  it("leaves when it is unregistered", async () => {
    const one = await router();
    const { port } = await secure("hello");
    one.register("api.test", via(port));
    await one.answers("api.test", says("hello"));
    one.unregister("api.test", via(port));
    await one.answers("api.test", ({ status }) => status === 503);
  });

  it("may share a name with one that does not", async () => {
    const one = await router();
    const [encrypted, plain] = [await secure("encrypted"), await app("plain")];
    closing.push(() => plain.close());
    one.register("api.test", via(encrypted.port));
    one.register("api.test", { port: plain.port });
    await one.answers("api.test", says("encrypted"));
    await one.answers("api.test", says("plain"));
  });

  it("may be a plain one from now on, at the same port, and the other way round", async () => {
    const one = await router();
    const plain = await app("plain");
    one.register("api.test", { port: plain.port });
    await one.answers("api.test", says("plain"));
    await plain.close();
    const { close } = await secure("encrypted", undefined, plain.port);
    one.register("api.test", via(plain.port));
    await one.answers("api.test", says("encrypted"));
    await close();
    const again = await app("plain again", undefined, plain.port);
    closing.push(() => again.close());
    one.register("api.test", { port: plain.port });
    await one.answers("api.test", says("plain again"));
  });

  it("takes large uploads, and keeps its connections", async () => {
    const one = await router();
    const sockets = new Set<unknown>();
    const tls = tlsOf(authority, { node: "ctl-0" });
    const server = https.createServer({ key: tls.key, cert: tls.cert }, async (request, response) => {
      sockets.add(request.socket);
      let size = 0;
      for await (const chunk of request) size += (chunk as Buffer).length;
      response.end(String(size));
    });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    closing.push(() => {
      server.close();
      server.closeAllConnections();
    });
    one.register("api.test", via((server.address() as AddressInfo).port));
    const body = "x".repeat(3_000_000);
    await one.answers("api.test", says("3000000"), { method: "POST", body });
    const before = sockets.size;
    const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
    for (let i = 0; i < 20; i++) expect((await one.ask("api.test", { agent })).body).toBe("0");
    expect(sockets.size).toBe(before + 1);
    agent.destroy();
  });
});

describe("a backend that cannot prove who it is", () => {
  const refused = async (one: TestRouter, host: string) => {
    await one.answers(host, ({ status }) => status === 502 || status === 503);
    // A moment later it is the same.
    expect((await one.ask(host)).status).toBeGreaterThan(501);
  };

  it.each([
    ["has a certificate of another authority", () => tlsOf(newAuthority(), { node: "ctl-0" })],
    ["is another node of this cluster", () => tlsOf(authority, { node: "dea-7" })],
    ["has a certificate that has run out", () => tlsOf(authority, { node: "ctl-0", now: Date.UTC(2020, 1, 1) })],
  ])("because it %s gets no request", async (_why, tls) => {
    const one = await router();
    const { port, server } = await secure("impostor", tls());
    let seen = 0;
    server.on("request", () => seen++);
    one.register("api.test", via(port));
    await refused(one, "api.test");
    expect(seen).toBe(0);
  });

  it("because it speaks no TLS gets no request", async () => {
    const one = await router();
    const plain = await app("plain");
    closing.push(() => plain.close());
    one.register("api.test", via(plain.port));
    await refused(one, "api.test");
    expect(plain.seen).toEqual([]);
  });

  it("because the router knows no authority is not registered at all", async () => {
    const log = recordingLog();
    const one = await testRouter({ log });
    closing.push(() => one.stop());
    one.register("api.test", via((await secure("hello")).port));
    await until(() => log.lines.some((line) => line.includes("knows no authority")), { what: "it is refused" });
    expect((await one.ask("api.test")).status).toBe(404);
  });

  it.each([[undefined], ["a b"], ["x\ny"], ["-x"], ["a".repeat(300)]])(
    "because it names itself %j is not registered",
    async (name) => {
      const log = recordingLog();
      const one = await router({ log });
      const { port } = await secure("hello");
      one.register("api.test", { port: 0, tls_port: port, ...(name && { server_cert_domain_san: name }) });
      await until(() => log.lines.some((line) => line.includes("for which name")), { what: "it is refused" });
    },
  );
});

describe("a backend that is busy for some seconds", () => {
  it("shakes no hands meanwhile, and no request is lost", async () => {
    const one = await router();
    const { port } = await secure("hello");
    const hasty = await one.pid();
    one.register("api.test", via(port));
    await one.answers("api.test", says("hello"));
    // How long a backend waits is settled when HAProxy starts: there is another one, and once only.
    await until(async () => (await one.pid()) !== hasty, { what: "a patient one serves" });
    const patient = await one.pid();
    const asked = Promise.all(Array.from({ length: 5 }, () => get(one.port)));
    // The backend lives in this process: all of it stands still.
    const end = Date.now() + 4000;
    while (Date.now() < end);
    expect(await asked).toEqual(["hello", "hello", "hello", "hello", "hello"]);
    expect(await one.pid()).toBe(patient);
  });

  /** With a connection that is not reused. */
  function get(port: number): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const options = { host: "127.0.0.1", port, agent: false as const, headers: { host: "api.test" } };
    http
      .get(options, async (answer) => {
        let body = "";
        for await (const chunk of answer) body += chunk;
        resolve(answer.statusCode === 200 ? body : `${answer.statusCode}`);
      })
      .once("error", reject);
    return promise;
  }
});
