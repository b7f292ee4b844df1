import { once as nextEvent } from "node:events";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { type AddressInfo, connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JoinRequest } from "../../../agent/bus/messages/membership.ts";
import { identityFiles } from "../../../agent/identity/files.ts";
import { joinCluster } from "../../../agent/identity/joinCluster.ts";
import { nodeKeys } from "../../../agent/identity/keys.ts";
import type { IdentityState, Newcomer } from "../../../agent/identity/newcomer.ts";
import type { Authority } from "../../../pki/authority.ts";
import { issueLeaf } from "../../../pki/leaf.ts";
import { type Door, type DoorOptions, door, newAuthority, newcomer } from "../../support/joined.ts";
import { freePort, natsServer } from "../../support/nats.ts";
import { recordingLog } from "../../support/recordingLog.ts";
import { until } from "../../support/until.ts";

const authority: Authority = newAuthority();
let home: string;
const doors: Door[] = [];
const attempts: AbortController[] = [];
beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), "tutti-identity-"));
});
afterEach(async () => {
  for (const one of attempts.splice(0)) one.abort();
  for (const one of doors.splice(0)) await one.close();
  await rm(home, { recursive: true, force: true });
});

async function open(more: Partial<DoorOptions> = {}): Promise<Door> {
  const one = await door({ authority, ...more });
  doors.push(one);
  return one;
}

function begin(spec: Newcomer, now?: () => number) {
  const stop = new AbortController();
  attempts.push(stop);
  const states: IdentityState[] = [];
  const log = recordingLog();
  const onState = (state: IdentityState) => void states.push(state);
  const done = joinCluster({ spec, log, stop: stop.signal, onState, ...(now ? { now } : {}) });
  done.catch(() => {});
  return { done, states, log, stop: () => stop.abort() };
}

const spec = (port: number, more: Partial<Newcomer> = {}) => newcomer(authority, { home, port, ...more });
const certificate = () => readFile(identityFiles(home).certificate, "utf8");
const state = (states: IdentityState[], code: string) =>
  until(() => states.at(-1)?.code === code, { what: `it says ${code}, not ${JSON.stringify(states.at(-1))}` });
const refused = (code: string) => ({ error: { code, message: `no: ${code}`, hint: "ask somebody" } });

describe("a new machine", () => {
  test("makes its keys, shows its claim, and keeps the certificate that it gets", async () => {
    const { port, asked } = await open();
    const { done, states } = begin(spec(port));
    const { keys } = await done;
    const [request] = asked.joins;
    expect(request).toMatchObject({ node: "dea-0", instance: "i-1", address: "127.0.0.1", key: keys.key });
    expect(request?.tlsKey).toBe(keys.tlsPublic);
    expect(request?.claim.id).toMatch(/^dea-0\./);
    expect(await certificate()).toMatch(/^-----BEGIN CERTIFICATE/);
    expect(states).toEqual([{ state: "ready" }]);
  });

  test("keeps what is secret to itself: on the disk, on the bus and in the log", async () => {
    const { port, asked } = await open();
    const newborn = spec(port);
    const { done, log } = begin(newborn);
    const { keys, files } = await done;
    expect((await stat(files.directory)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(files.directory))
      expect((await stat(join(files.directory, name))).mode & 0o777).toBe(0o600);
    expect((await readdir(files.directory)).sort()).toEqual(["node.nk", "tls.crt", "tls.key"]);
    const said = JSON.stringify(asked) + log.lines.join();
    for (const secret of [keys.seed, keys.tlsKey.split("\n")[1] ?? ""]) expect(said).not.toContain(secret);
    expect(log.lines.join()).not.toContain(newborn.join.claim.secret);
  });

  test("waits for a core that is not there yet, says what it waits for, and joins when it comes", async () => {
    const port = await freePort();
    const { done, states, log } = begin(spec(port));
    await state(states, "waiting_for_core");
    expect(states.at(-1)).toMatchObject({
      state: "starting",
      reason: "no core has let this node in yet (127.0.0.1: nothing listens there)",
      hint: expect.stringContaining("tutti bootstrap"),
    });
    await open({ port });
    await done;
    expect(states.at(-1)).toEqual({ state: "ready" });
    expect(log.lines.filter((line) => line.includes("waits to be let in")).length).toBeLessThan(4);
  });

  test("waits for a bus without a core behind it", async () => {
    const { port, silence } = await open();
    silence();
    const { states } = begin(spec(port));
    await state(states, "waiting_for_core");
    expect(states.at(-1)?.reason).toContain("its core does not answer yet");
  });

  test("asks the next core when one is away", async () => {
    const { port } = await open();
    const one = spec(port);
    const { done } = begin({ ...one, join: { ...one.join, cores: ["127.0.0.7", "127.0.0.1", "127.0.0.8"] } });
    await done;
  });

  test("is told why it is refused, does not press, and joins when a person has mended it", async () => {
    let wrong = true;
    const { port, asked } = await open({
      onJoin: ({ node, address, tlsKey }) =>
        wrong
          ? refused("claim_expired")
          : { certificate: issueLeaf({ authority, key: tlsKey, node, address, now: Date.now() }) },
    });
    const { done, states, log } = begin(spec(port));
    await state(states, "claim_expired");
    expect(states.at(-1)).toEqual({
      ...{ state: "failing", code: "claim_expired", hint: "ask somebody" },
      reason: "127.0.0.1 does not let this node in: no: claim_expired",
    });
    expect(log.lines.find((line) => line.startsWith("error"))).toContain("claim_expired");
    expect(asked.joins).toHaveLength(1);
    wrong = false;
    await done;
    expect(asked.joins).toHaveLength(2);
  });

  test("that was not told whom to trust asks nobody, and says so", async () => {
    const { port, asked } = await open();
    const one = spec(port);
    const { states } = begin({ ...one, join: { ...one.join, ca: "" } });
    await state(states, "waiting_for_authority");
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(asked.joins).toEqual([]);
  });

  test("gives up at once when it is stopped", async () => {
    const { done, states, stop } = begin(spec(await freePort()));
    await state(states, "waiting_for_core");
    stop();
    await expect(done).rejects.toMatchObject({ name: "AbortError" });
  });
});

describe("somebody else has the core's address", () => {
  test("with another cluster's authority: the node shows nothing, never joins, and says so", async () => {
    const { port, asked } = await open({ authority: newAuthority() });
    const { states } = begin(spec(port));
    await state(states, "wrong_authority");
    expect(states.at(-1)).toMatchObject({
      state: "failing",
      reason: expect.stringContaining("127.0.0.1: its certificate is not of this cluster's authority"),
    });
    expect(asked.joins).toEqual([]);
  });

  test("with a certificate of this cluster, but as a node that is no core: it never joins", async () => {
    const { port, asked } = await open();
    // Every certificate is good for localhost and 127.0.0.1: this one is not good for 127.0.0.2.
    const impostor = createServer((from) => {
      const to = connect(port, "127.0.0.1");
      for (const [one, other] of [[from, to] as const, [to, from] as const])
        one.on("error", () => other.destroy()).pipe(other);
    });
    impostor.listen(port, "127.0.0.2");
    await nextEvent(impostor, "listening");
    try {
      const one = spec(port);
      const { states } = begin({ ...one, join: { ...one.join, cores: ["127.0.0.2"] } });
      await state(states, "wrong_authority");
      expect(states.at(-1)?.reason).toContain("127.0.0.2: its certificate is that of another machine");
      expect(asked.joins).toEqual([]);
    } finally {
      impostor.close();
    }
  });

  test("and speaks without encryption: the node says nothing to it", async () => {
    const plain = await natsServer();
    try {
      const { states } = begin(spec(plain.port));
      await state(states, "wrong_authority");
      expect(states.at(-1)?.reason).toContain("it speaks without encryption");
    } finally {
      await plain.stop();
    }
  });

  test("and is no server of the bus at all", async () => {
    const web = createServer((socket) => socket.on("error", () => {}).end("HTTP/1.1 400 Bad Request\r\n\r\n"));
    web.listen(0, "127.0.0.1");
    await nextEvent(web, "listening");
    try {
      const { states } = begin(spec((web.address() as AddressInfo).port));
      await state(states, "wrong_authority");
    } finally {
      web.close();
    }
  });
});

describe("the power is cut", () => {
  /** A machine at its next boot. */
  const again = async (port: number) => {
    const { done } = begin(spec(port));
    return await done;
  };

  test("between the first key and the second: the first one stays", async () => {
    const { port } = await open();
    const { seed } = await nodeKeys(identityFiles(home));
    await rm(identityFiles(home).tlsKey);
    expect((await again(port)).keys.seed).toBe(seed);
  });

  test("while a key was being written: what is half there counts for nothing", async () => {
    const { port } = await open();
    await nodeKeys(identityFiles(home));
    await rm(identityFiles(home).seed);
    await writeFile(`${identityFiles(home).seed}.123.abcd`, "SUA");
    expect((await again(port)).keys.seed).toHaveLength(58);
  });

  test("between the keys and the request: it asks with the same keys", async () => {
    const { port, asked } = await open();
    const { key } = await nodeKeys(identityFiles(home));
    await again(port);
    expect(asked.joins[0]?.key).toBe(key);
  });

  test("between the request and the certificate: it asks once more with the same, and gets the same answer", async () => {
    const { port, asked } = await open({ onJoin: once(() => new Promise(() => {})) });
    const { stop, done } = begin(spec(port));
    await until(() => asked.joins.length === 1, { what: "it has asked" });
    stop();
    await done.catch(() => {});
    await again(port);
    const [first, second] = asked.joins;
    expect(second).toEqual({ ...first, claim: second?.claim });
  });

  test("after the certificate: it is a member, and no core is asked", async () => {
    const { port, asked } = await open();
    await again(port);
    await again(port);
    expect(asked.joins).toHaveLength(1);
  });

  test("and the certificate is unreadable: it asks for another one", async () => {
    const { port, asked } = await open();
    await again(port);
    await writeFile(identityFiles(home).certificate, "-----BEGIN CERT");
    await again(port);
    expect(asked.joins).toHaveLength(2);
    expect(await certificate()).toContain("-----END CERTIFICATE-----");
  });

  const once = (first: (request: JoinRequest) => Promise<never>) => {
    let turn = 0;
    return (request: JoinRequest) => {
      const { node, address, tlsKey: key } = request;
      return turn++ === 0
        ? first(request)
        : { certificate: issueLeaf({ authority, key, node, address, now: Date.now() }) };
    };
  };
});

describe("two agents start at once", () => {
  test("both join as one and the same node", async () => {
    const { port, asked } = await open();
    const both = await Promise.all([begin(spec(port)).done, begin(spec(port)).done]);
    expect(new Set(both.map(({ keys }) => keys.seed)).size).toBe(1);
    expect(new Set(asked.joins.map(({ key, tlsKey }) => key + tlsKey)).size).toBe(1);
    expect((await readdir(identityFiles(home).directory)).sort()).toEqual(["node.nk", "tls.crt", "tls.key"]);
  });
});

describe("a member", () => {
  const day = 24 * 60 * 60 * 1000;

  /** Lets it in, and has the server know its key. */
  async function member(one: Door, now = Date.now(), by = authority) {
    const files = identityFiles(home);
    const keys = await nodeKeys(files);
    await one.admit({ "dea-0": keys.key });
    const facts = { authority: by, key: keys.tlsPublic, node: "dea-0", address: "127.0.0.1", now };
    await writeFile(files.certificate, issueLeaf(facts), { mode: 0o600 });
  }

  test("goes to work without asking anybody, also when no core is there", async () => {
    const one = await open();
    await member(one);
    await one.server.kill();
    const { done, states } = begin(spec(one.port));
    await done;
    expect(states).toEqual([{ state: "ready" }]);
  });

  test("asks for a certificate with its new address before it shows itself there", async () => {
    const one = await open();
    await member(one);
    await begin(spec(one.port, { address: "127.0.0.5" })).done;
    expect(one.asked).toMatchObject({ joins: [], renewals: [{ address: "127.0.0.5", instance: "i-1" }] });
  });

  test("comes back after years with a certificate that has run out, and needs no claim", async () => {
    const one = await open();
    await member(one, Date.now() - 400 * day);
    await begin(spec(one.port)).done;
    expect(one.asked.joins).toEqual([]);
    expect(one.asked.renewals).toHaveLength(1);
  });

  test("that nobody knows any more learns why, by showing its claim", async () => {
    const one = await open({ onJoin: () => refused("node_revoked") });
    await member(one, Date.now() - 400 * day);
    await one.admit({});
    const { states } = begin(spec(one.port));
    await state(states, "node_revoked");
    expect(one.asked.renewals).toEqual([]);
  });

  test("with a clock that runs years ahead says so instead of asking again and again", async () => {
    const one = await open();
    await member(one);
    const { states } = begin(spec(one.port), () => Date.now() + 500 * day);
    await state(states, "certificate_useless");
    expect(states.at(-1)?.hint).toContain("compare the clocks");
  });

  test("of a cluster that was made anew asks to be let in again", async () => {
    const one = await open();
    await member(one, Date.now(), newAuthority());
    await begin(spec(one.port)).done;
    expect(one.asked.joins).toHaveLength(1);
  });
});

test("a key that cannot be read is not replaced: a person is told", async () => {
  const files = identityFiles(home);
  await nodeKeys(files);
  await writeFile(files.seed, "nonsense\n");
  const { done } = begin(spec(await freePort()));
  await expect(done).rejects.toMatchObject({ code: "key_unreadable", hint: expect.stringContaining("new claim") });
});
