import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { memoryNet } from "../../../agent/bus/memory.ts";
import type { RouterRegister } from "../../../agent/bus/messages/router.ts";
import { componentId, presence } from "../../../agent/bus/presence.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { controller } from "../../../agent/controller/controller.ts";
import { silent } from "../../../agent/run/log.ts";
import { type Running, start } from "../../../agent/run/runner.ts";
import { memoryStore } from "../../../agent/store/memory.ts";
import { memoryBlobs } from "../../../agent/store/memoryBlobs.ts";
import { newAuthority, renewable, tlsOf } from "../../support/joined.ts";
import { until } from "../../support/until.ts";

const authority = newAuthority();
beforeAll(() => setDefaultCACertificates([...getCACertificates("bundled"), authority.certificate]));
const closing: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

const address = "127.0.0.2";

/** A controller of a cluster of several machines. */
async function joined() {
  const home = await mkdtemp(join(tmpdir(), "tutti-controller-tls-"));
  closing.push(() => rm(home, { recursive: true, force: true }));
  const net = memoryNet();
  const [tool, tls] = [net.join(), renewable(tlsOf(authority, { node: "ctl-0", address }))];
  const registered: RouterRegister[] = [];
  tool.subscribe(subjects.routerRegister, (message) => void registered.push(message));
  let port = 0;
  const self: Running = start(
    controller({
      ...{
        bus: net.join(),
        store: memoryStore(),
        blobs: memoryBlobs(),
        log: silent,
        index: 0,
        address,
        beat: 50,
        home,
      },
      ...{ port: 0, domain: "tutti.test", version: "1", tls },
      onListening: (bound) => {
        port = bound;
      },
    }),
  );
  closing.push(() => self.stop());
  await self.ready;
  return { net, tool, tls, port, registered };
}

describe("a controller of several machines", () => {
  test("speaks HTTPS to other nodes, and HTTP on its own loopback, where the license step is taken", async () => {
    const { port } = await joined();
    expect((await fetch(`https://${address}:${port}/v3/info`)).status).toBe(200);
    await expect(fetch(`http://${address}:${port}/v3/info`)).rejects.toThrow();
    const form = new URLSearchParams({ email: "me@tutti.test", password: "three little words" });
    const url = `http://127.0.0.1:${port}/stackato/license`;
    expect((await fetch(url, { method: "POST", body: form })).status).toBe(201);
  });

  test("tells routers to come with TLS and which name to look for", async () => {
    const { port, registered } = await joined();
    await until(() => registered.length > 0, { what: "it registers" });
    expect(registered[0]).toMatchObject({
      ...{ host: address, port: 0, tls_port: port, server_cert_domain_san: "ctl-0", uris: ["api.tutti.test"] },
    });
  });

  test("tells the health manager an address of HTTPS", async () => {
    const { port, tool } = await joined();
    const answer = await tool.request(subjects.bulkCredentials, {}, { timeout: 2000 });
    expect(answer?.url).toBe(`https://${address}:${port}`);
    const authorization = `Basic ${Buffer.from(`${answer?.user}:${answer?.password}`).toString("base64")}`;
    const page = await fetch(`${answer?.url}/bulk/apps?batch_size=10&bulk_token={}`, { headers: { authorization } });
    expect(page.status).toBe(200);
  });

  test("shows a renewed certificate from the next connection on", async () => {
    const { port, tls } = await joined();
    const url = `https://${address}:${port}/v3/info`;
    expect((await fetch(url, { headers: { connection: "close" } })).status).toBe(200);
    tls.renew(tlsOf(newAuthority(), { node: "ctl-0", address }));
    await expect(fetch(url, { headers: { connection: "close" } })).rejects.toThrow();
    tls.renew(tlsOf(authority, { node: "ctl-0", address }));
    expect((await fetch(url, { headers: { connection: "close" } })).status).toBe(200);
  });

  test("asks components how they are as they announce it: over HTTPS those that have it, over HTTP others", async () => {
    const { net, port } = await joined();
    const other = (type: string, tls?: ReturnType<typeof tlsOf>) => {
      const self = { bus: net.join(), type, index: 1, uuid: componentId(1), address: "127.0.0.1", log: silent };
      const one = start(presence({ ...self, varz: () => ({}), tls }));
      closing.push(() => one.stop());
      return one.ready;
    };
    await Promise.all([
      other("DEA", tlsOf(authority, { node: "dea-0" })),
      other("Router"),
      other("Stager", tlsOf(newAuthority(), { node: "x" })),
    ]);
    const login = new URLSearchParams({ email: "me@tutti.test", password: "three little words" });
    await fetch(`http://127.0.0.1:${port}/stackato/license`, { method: "POST", body: login });
    const headers = { authorization: `Basic ${Buffer.from("cf:").toString("base64")}` };
    const grant = { grant_type: "password", username: "me@tutti.test", password: "three little words" };
    const body = new URLSearchParams(grant);
    const token = await fetch(`https://${address}:${port}/oauth/token`, { method: "POST", headers, body });
    const { access_token } = (await token.json()) as { access_token: string };
    const seen = async () => {
      const asked = { headers: { authorization: `bearer ${access_token}` } };
      const answer = await fetch(`https://${address}:${port}/tutti/components`, asked);
      const { resources } = (await answer.json()) as { resources: { type: string; healthy: boolean }[] };
      return Object.fromEntries(resources.map(({ type, healthy }) => [type, healthy]));
    };
    await until(async () => Object.keys(await seen()).length === 4, { what: "all are seen" });
    expect(await seen()).toEqual({ CloudController: true, DEA: true, Router: true, Stager: false });
  });
});
