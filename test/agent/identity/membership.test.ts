import { X509Certificate } from "node:crypto";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import https from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TLSSocket } from "node:tls";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { webServer } from "../../../agent/bus/web.ts";
import { identityFiles } from "../../../agent/identity/files.ts";
import { heldCertificate } from "../../../agent/identity/held.ts";
import { nodeKeys } from "../../../agent/identity/keys.ts";
import { coreIdentity, membership } from "../../../agent/identity/membership.ts";
import type { IdentityState } from "../../../agent/identity/newcomer.ts";
import { type Running, start } from "../../../agent/run/runner.ts";
import { issueLeaf } from "../../../pki/leaf.ts";
import { type Door, type DoorOptions, door, newAuthority, newcomer } from "../../support/joined.ts";
import { recordingLog } from "../../support/recordingLog.ts";
import { until } from "../../support/until.ts";

const authority = newAuthority();
const day = 24 * 60 * 60 * 1000;
let home: string;
const doors: Door[] = [];
const running: Running[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "tutti-member-"));
});
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
  for (const one of doors.splice(0)) await one.close();
  await rm(home, { recursive: true, force: true });
});

async function open(more: Partial<DoorOptions> = {}): Promise<Door> {
  const one = await door({ authority, ...more });
  doors.push(one);
  return one;
}

/** A member whose certificate is so many days old. */
async function member(one: Door, age = 0) {
  const files = identityFiles(home);
  const keys = await nodeKeys(files);
  await one.admit({ "dea-0": keys.key });
  const facts = { authority, key: keys.tlsPublic, node: "dea-0", address: "127.0.0.1", now: Date.now() - age * day };
  await writeFile(files.certificate, issueLeaf(facts), { mode: 0o600 });
  const held = heldCertificate(files, "dea-0");
  const states: IdentityState[] = [];
  const log = recordingLog();
  const line = { connected: true };
  const onState = (state: IdentityState) => void states.push(state);
  const spec = newcomer(authority, { home, port: one.port });
  const self = start(membership({ spec, held, log, onState, connected: () => line.connected }));
  running.push(self);
  await self.ready;
  return { held, states, log, line };
}

describe("a member's certificate", () => {
  test("with most of its time over is renewed, and shown to whoever connects from then on", async () => {
    const one = await open();
    const { held } = await member(one, 300);
    const server = webServer(held.tls, (_request, response) => response.end("hello"));
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    const agent = new https.Agent({ keepAlive: true, ca: authority.certificate, maxSockets: 1 });
    const first = await shown(port, agent);
    await until(() => one.asked.renewals.length === 1, { what: "it asks for a new one" });
    await until(async () => (await shown(port)).serial !== first.serial, { what: "the new one is shown" });
    // A connection that is open stays as it is.
    expect(await shown(port, agent)).toEqual(first);
    agent.destroy();
    server.close();
    expect(one.asked.joins).toEqual([]);
  });

  test("that is young is left alone", async () => {
    const one = await open();
    const { log } = await member(one, 10);
    await one.bus.flush();
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(one.asked).toEqual({ joins: [], renewals: [] });
    expect(log.lines.filter((line) => /^(warn|error)/.test(line))).toEqual([]);
  });

  test("that a core will not renew stays in use, and the reason is in the log", async () => {
    const one = await open({ onRenew: () => ({ error: { code: "wrong_instance", message: "not this machine" } }) });
    const { held, log, states } = await member(one, 300);
    await until(() => log.lines.some((line) => line.includes("not this machine")), { what: "the log says why" });
    expect(new X509Certificate(held.tls.cert).validTo).toBeTruthy();
    expect(states).toEqual([{ state: "ready" }]);
  });
});

describe("the bus stays away", () => {
  test("because the core is away: the node has no news of that", async () => {
    const one = await open();
    const { states, line } = await member(one);
    await one.server.kill();
    line.connected = false;
    await new Promise((resolve) => setTimeout(resolve, 1000));
    expect(states).toEqual([{ state: "ready" }]);
  });

  test("because the node was removed: it learns so from a core, and is well again when it is let in again", async () => {
    const error = { code: "node_revoked", message: "this node was removed", hint: "give it a new claim" };
    const one = await open({ onJoin: () => ({ error }) });
    const { states, line } = await member(one);
    line.connected = false;
    await until(() => states.at(-1)?.code === "node_revoked", { what: "it says why" });
    expect(states.at(-1)).toMatchObject({ state: "failing", hint: "give it a new claim" });
    line.connected = true;
    await until(() => states.at(-1)?.state === "ready", { what: "it is well" });
  });
});

describe("a core", () => {
  test("waits for its identity without end, says so, and goes on as soon as it is there", async () => {
    const files = identityFiles(home);
    const held = heldCertificate(files, "lead-0");
    const states: IdentityState[] = [];
    const spec = newcomer(authority, { home, port: 1, id: "lead-0" });
    const self = start(coreIdentity({ spec, held, log: recordingLog(), onState: (state) => void states.push(state) }));
    running.push(self);
    await until(() => states.length > 0, { what: "it says something" });
    expect(states).toEqual([
      {
        ...{
          state: "starting",
          code: "waiting_for_identity",
          hint: `tutti bootstrap brings it, to ${files.authority}`,
        },
        reason: "this core has not been given the identity of its cluster yet",
      },
    ]);
    await writeFile(files.authority, "{}");
    await self.ready;
    expect(states.at(-1)).toEqual({ state: "ready" });
  });

  test("gives its other components a certificate as soon as it has made one, and not before it is whole", async () => {
    const files = identityFiles(home);
    const held = heldCertificate(files, "lead-0");
    const stop = new AbortController();
    const there = held.there(stop.signal);
    await mkdir(files.directory, { recursive: true });
    await writeFile(files.certificate, "-----BEGIN");
    const { tlsPublic: key, tlsKey } = await nodeKeys(files);
    expect(() => held.tls.cert).toThrow(/is not there yet/);
    const cert = issueLeaf({ authority, key, node: "lead-0", address: "127.0.0.1", now: Date.now() });
    await writeFile(files.certificate, cert);
    expect(await there).toBe(true);
    expect(held.tls).toMatchObject({ name: "lead-0", key: tlsKey, cert });
  });
});

interface Shown {
  serial: string;
}

/** Which certificate a server shows, over a connection of its own unless an agent is given. */
function shown(port: number, agent?: https.Agent): Promise<Shown> {
  const { promise, resolve, reject } = Promise.withResolvers<Shown>();
  const options = { host: "127.0.0.1", port, ca: authority.certificate, agent: agent ?? (false as const) };
  https
    .get(options, (answer) => {
      const { serialNumber } = (answer.socket as TLSSocket).getPeerCertificate();
      answer.resume().once("end", () => resolve({ serial: serialNumber }));
    })
    .once("error", reject);
  return promise;
}
