import { createServer } from "node:net";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { afterEach, beforeAll, describe, expect, test } from "vitest";
import { memoryNet } from "../../../agent/bus/memory.ts";
import type { Announce } from "../../../agent/bus/messages/component.ts";
import { componentId, type PresenceOptions, presence } from "../../../agent/bus/presence.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { webAddress } from "../../../agent/bus/web.ts";
import { silent } from "../../../agent/run/log.ts";
import { type Running, start } from "../../../agent/run/runner.ts";
import { newAuthority, renewable, tlsOf } from "../../support/joined.ts";
import { freePort } from "../../support/nats.ts";

const authority = newAuthority();
// As the agent does: from here on fetch believes it.
beforeAll(() => setDefaultCACertificates([...getCACertificates("bundled"), authority.certificate]));
const running: Running[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

async function present(options: Partial<PresenceOptions> = {}) {
  const net = memoryNet();
  const [bus, tool] = [net.join(), net.join()];
  const announced = Promise.withResolvers<Announce>();
  tool.subscribe(subjects.announce, (message) => announced.resolve(message));
  const self = { bus, type: "DEA", index: 3, uuid: componentId(3), address: "127.0.0.1", log: silent };
  const one = start(presence({ ...self, varz: () => ({}), ...options }));
  running.push(one);
  await one.ready;
  const announce = await announced.promise;
  const authorization = `Basic ${Buffer.from(announce.credentials.join(":")).toString("base64")}`;
  return {
    announce,
    get: (scheme: string) => fetch(`${scheme}://${announce.host}/healthz`, { headers: { authorization } }),
  };
}

describe("the status server of a component", () => {
  test("speaks HTTPS where the node has a certificate, and the announcement says so", async () => {
    const { announce, get } = await present({ tls: tlsOf(authority, { node: "dea-0" }) });
    expect(announce.tls).toBe(true);
    expect(await (await get("https")).text()).toBe("ok\n");
    await expect(get("http")).rejects.toThrow();
  });

  test("speaks HTTP elsewhere, and the announcement is what it always was", async () => {
    const { announce, get } = await present();
    expect("tls" in announce).toBe(false);
    expect((await get("http")).status).toBe(200);
  });

  test("is believed by nobody with a certificate of another authority, or for another machine", async () => {
    const foreign = await present({ tls: tlsOf(newAuthority(), { node: "dea-0" }) });
    await expect(foreign.get("https")).rejects.toThrow();
    const elsewhere = await present({ tls: tlsOf(authority, { node: "dea-0" }), address: "127.0.0.6" });
    await expect(elsewhere.get("https")).rejects.toMatchObject({ cause: { code: "ERR_TLS_CERT_ALTNAME_INVALID" } });
  });

  test("lets go of the certificate when it ends", async () => {
    const tls = renewable(tlsOf(authority, { node: "dea-0" }));
    await present({ tls });
    expect(tls.listeners).toBe(1);
    await running.pop()?.stop();
    await new Promise(setImmediate);
    expect(tls.listeners).toBe(0);
  });
});

describe("the ports of status servers", () => {
  test("are taken from the range that they were given, each a free one", async () => {
    const first = await freePort();
    const statusPorts = { first, last: first + 20 };
    const hosts = [await present({ statusPorts }), await present({ statusPorts })].map(({ announce }) => announce.host);
    const ports = hosts.map((host) => Number(host.split(":")[1]));
    expect(new Set(ports).size).toBe(2);
    for (const port of ports) expect(port >= first && port <= first + 20).toBe(true);
  });

  test("that are all in use are told with the setting", async () => {
    const port = await freePort();
    const other = createServer().listen(port, "127.0.0.1");
    await expect(present({ statusPorts: { first: port, last: port } })).rejects.toMatchObject({
      code: "port_in_use",
      message: `the status server of DEA finds no free port from ${port} to ${port}`,
      hint: expect.stringContaining("ports.status"),
    });
    other.close();
    running.pop();
  });

  test("that are said to be 0 are any free ones", async () => {
    const { announce } = await present({ statusPorts: { first: 0, last: 0 } });
    expect(Number(announce.host.split(":")[1])).toBeGreaterThan(1023);
  });
});

test("an address is written as a URL wants it", () => {
  const tls = tlsOf(authority, { node: "x" });
  expect(webAddress(undefined, "10.0.0.1", 80)).toBe("http://10.0.0.1:80");
  expect(webAddress(tls, "fd00::1", 443)).toBe("https://[fd00::1]:443");
});
