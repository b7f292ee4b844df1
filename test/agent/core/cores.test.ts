import { generateKeyPairSync } from "node:crypto";
import { once } from "node:events";
import { rm } from "node:fs/promises";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { type ConnectionOptions, connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { at } from "../../../agent/bus/subject.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { manager } from "../../../agent/store/jetstream.ts";
import { objectBlobs } from "../../../agent/store/objects.ts";
import type { Store } from "../../../agent/store/store.ts";
import { issueLeaf } from "../../../pki/leaf.ts";
import { type TestCluster, type TestCore, testCluster, testNode, wishOf } from "../../support/cores.ts";
import { until } from "../../support/until.ts";

const ready = (cores: readonly TestCore[]) => Promise.all(cores.map(({ running }) => running.ready));

/** Tries until a write is taken: the servers may be electing. */
async function write(store: Store, key: string, value: unknown) {
  await until(
    () =>
      store.put(key, value).then(
        () => true,
        () => false,
      ),
    { what: `${key} is written` },
  );
}

// Servers that have lost one of theirs elect for seconds.
const patient = { timeout: 240_000 };

describe("three cores", patient, () => {
  let cluster: TestCluster;
  let cores: [TestCore, TestCore, TestCore];
  beforeAll(async () => {
    cluster = await testCluster(3);
    cores = [...cluster.cores] as typeof cores;
    for (const core of cores) core.start();
    await ready(cores);
  });
  afterAll(() => cluster.close());

  const copiesOf = async (stream: string) => {
    const { connection } = await cluster.local("controller", cores[0]);
    const { config, cluster: held } = await (await manager(connection, 5000)).streams.info(stream);
    return { wanted: config.num_replicas, there: 1 + (held?.replicas?.filter(({ current }) => current).length ?? 0) };
  };

  test("keep everything three times, also what was made with fewer copies", async () => {
    expect((await copiesOf("KV_tutti")).wanted).toBe(3);
    const blobs = objectBlobs((await cluster.local("controller")).connection, { replicas: 1 });
    const { sha256 } = await blobs.put(Readable.from([Buffer.alloc(1_500_000, 1)]));
    await until(async () => (await copiesOf("OBJ_blobs")).there === 3, { what: "the blobs are there three times" });
    for (const core of cores) {
      const elsewhere = objectBlobs((await cluster.local("controller", core)).connection);
      const bytes = await elsewhere.get(sha256);
      expect((await buffer(bytes as Readable)).length).toBe(1_500_000);
    }
  });

  test("let a node in at one of them and know it at all, and shut it out at all", async () => {
    const node = testNode("dea-0", { address: "127.0.0.20" });
    const answer = await cluster.join(node, cluster.claim("dea-0", ["dea"]), { core: cores[1] });
    expect(answer).toHaveProperty("certificate");
    const entered = await Promise.all(cores.map((core) => cluster.enter(node, { core })));
    for (const one of entered) expect(await wishOf(one, "dea-0")).toEqual(["dea"]);
    const gone = entered.map(
      ({ bus }) => new Promise<void>((resolve) => bus.onConnection((connected) => !connected && resolve())),
    );
    const controller = await cluster.local("controller", cores[2]);
    await controller.bus.request(subjects.revoke, { node: "dea-0" }, { timeout: 5000 });
    await Promise.all(gone);
  });

  test("let only one of two machines in that show the same claim at two of them at the same moment", async () => {
    const claim = cluster.claim("dea-1", ["dea"]);
    const rivals = Array.from({ length: 12 }, (_, i) => testNode("dea-1", { instance: `i-${i}` }));
    const answers = await Promise.all(rivals.map((node, i) => cluster.join(node, claim, { core: cores[i % 3] })));
    const codes = answers.map((answer) => (answer && "error" in answer ? answer.error.code : "let in"));
    expect(codes.filter((code) => code === "let in")).toHaveLength(1);
    expect(new Set(codes)).toEqual(new Set(["let in", "claim_used"]));
  });

  test("pass on what a node says of itself, at whichever it is, to whoever listens at any", async () => {
    const node = testNode("dea-2", { address: "127.0.0.22" });
    await cluster.join(node, cluster.claim("dea-2", ["dea"]));
    const listener = await cluster.local("router", cores[2]);
    const heard: number[] = [];
    listener.bus.subscribe(subjects.routerRegister, ({ port }) => heard.push(port));
    await listener.bus.flush();
    const said = await Promise.all(cores.map((core) => cluster.enter(node, { core })));
    for (const [port, { bus }] of said.entries())
      bus.publish(subjects.routerRegister, { host: "127.0.0.22", port, uris: [], tags: {} });
    await until(() => heard.length === 3, { what: "all routes are heard of" });
    expect(heard.sort()).toEqual([0, 1, 2]);
  });

  test("open no route to a node with its certificate, to a stranger without one, or to anybody without TLS", async () => {
    const pair = generateKeyPairSync("ed25519");
    const key = pair.publicKey.export({ type: "spki", format: "pem" }).toString();
    const cert = issueLeaf({
      authority: cluster.authority,
      key,
      node: "dea-3",
      address: "127.0.0.23",
      now: Date.now(),
    });
    const own = { cert, key: pair.privateKey.export({ type: "pkcs8", format: "pem" }) };
    expect(await knock(own)).toContain("Authorization Violation");
    expect(await knock(own, { user: "core", pass: "guess" })).toContain("Authorization Violation");
    expect(await knock({})).toMatch(/certificate required|alert/);
  });

  /** Tries to be a route; tells what the server says, or how it fails. */
  async function knock(identity: ConnectionOptions, who: object = {}): Promise<string> {
    const place = { host: cores[0].address, port: cluster.routes };
    const secure = connect({ ...place, ca: cluster.authority.certificate, ...identity });
    let said = "";
    secure.on("error", (error) => {
      said += String(error);
    });
    secure.on("data", (chunk) => {
      said += chunk;
    });
    secure.once("secureConnect", () =>
      secure.write(`CONNECT ${JSON.stringify({ verbose: false, ...who, tls_required: true, name: "x" })}\r\nPING\r\n`),
    );
    await once(secure, "close").catch(() => {});
    return said;
  }

  test("go on when one is lost: nodes stay, write, hear, and new ones are let in", async () => {
    const store = await cluster.store(cores[1]);
    await store.put("kept.before", 1);
    const heard: unknown[] = [];
    const watching = await Promise.all(cores.slice(1).flatMap((core) => [1, 2, 3].map(() => cluster.store(core))));
    for (const [i, one] of watching.entries()) one.watch("kept.", ({ key }) => heard.push(`${i} ${key}`));
    await until(() => heard.length === watching.length, { what: "the watchers are current" });
    const bystander = await cluster.local("health", cores[2]);
    const losses: boolean[] = [];
    bystander.bus.onConnection((connected) => losses.push(connected));
    await cores[0].stop();
    await write(store, "kept.after", 2);
    await until(() => watching.every((_, i) => heard.includes(`${i} kept.after`)), {
      what: "every watcher hears of it, whichever core told it",
    });
    const node = testNode("dea-4");
    const answer = await cluster.join(node, cluster.claim("dea-4", ["dea"]), { core: cores[2] });
    expect(answer).toHaveProperty("certificate");
    expect(await wishOf(await cluster.enter(node, { core: cores[2] }), "dea-4")).toEqual(["dea"]);
    expect(losses).toEqual([]);
  });

  test("take back the lost one, also when its disk is empty, and then another may be lost", async () => {
    await rm(cores[0].home, { recursive: true });
    cores[0].start();
    await ready([cores[0]]);
    await until(async () => (await copiesOf("KV_tutti")).there === 3, { what: "it has everything again" });
    await until(async () => (await copiesOf("OBJ_blobs")).there === 3, { what: "it has all blobs again" });
    process.kill(await cores[1].pid(), "SIGKILL");
    await cores[1].stop();
    const store = await cluster.store(cores[0]);
    await write(store, "kept.last", 3);
    const kept = await Promise.all(["before", "after", "last"].map((key) => store.get(`kept.${key}`)));
    expect(kept.map((entry) => entry?.value)).toEqual([1, 2, 3]);
    const known = (await store.list("members.")).map(({ key }) => key);
    expect(known).toContain("members.dea-4");
    const node = testNode("dea-5");
    expect(await cluster.join(node, cluster.claim("dea-5", ["dea"]))).toHaveProperty("certificate");
    expect(await wishOf(await cluster.enter(node), "dea-5")).toEqual(["dea"]);
  });

  test("keep the bus up when two are lost: members come in, and the store says that it cannot be reached", async () => {
    await cores[2].stop();
    const node = await cluster.local("node", cores[0]);
    const heard: unknown[] = [];
    node.bus.subscribe(at(subjects.nodeRoles, { node: "x" }), (roles) => heard.push(roles));
    await node.bus.flush();
    const core = await cluster.local("core", cores[0]);
    core.bus.publish(at(subjects.nodeRoles, { node: "x" }), { roles: ["dea"] });
    await until(() => heard.length === 1, { what: "the message arrives" });
    const store = await cluster.store(cores[0]);
    await expect(store.put("a", 1)).rejects.toThrow("the store cannot be reached");
    expect(await cluster.join(testNode("dea-6"), cluster.claim("dea-6", ["dea"]), { timeout: 1000 })).toBeUndefined();
    for (const one of cores.slice(1)) one.start();
    await ready(cores.slice(1));
    await write(store, "a", 1);
    expect(await cluster.join(testNode("dea-6"), cluster.claim("dea-6", ["dea"]))).toHaveProperty("certificate");
  });
});

test("cores that are started one after the other find each other", patient, async () => {
  const cluster = await testCluster(3);
  try {
    for (const core of cluster.cores) {
      core.start();
      await until(() => core.log.lines.join().includes("Server is ready"), { what: "its server runs" });
    }
    await ready(cluster.cores);
    await write(await cluster.store(cluster.cores[2]), "a", 1);
    expect((await (await cluster.store(cluster.cores[0])).get("a"))?.value).toBe(1);
  } finally {
    await cluster.close();
  }
});

test("a core of several says so when no port was chosen for the routes", async () => {
  const cluster = await testCluster(2);
  const [core] = cluster.cores as [TestCore];
  const { authority } = cluster;
  const place = {
    node: "lead-0",
    name: "trio",
    cores: ["127.0.0.1", "127.0.0.2"],
    ca: authority.certificate,
    routes: 0,
  };
  core.start({ cluster: { ...place, identity: core.identity, instance: "i", roles: ["core"] } });
  await expect(core.running.ready).rejects.toMatchObject({ code: "no_routes_port" });
  await cluster.close();
});

test("a core that was alone does not throw away what it kept when others are put beside it", async () => {
  const cluster = await testCluster(3);
  const [core] = cluster.cores as [TestCore];
  const { authority, routes } = cluster;
  const place = { node: "lead-0", name: "trio", ca: authority.certificate, routes, identity: core.identity };
  const alone = { cluster: { ...place, cores: [core.address], instance: "i", roles: ["core"] } };
  core.start(alone);
  await core.running.ready;
  await (await cluster.store()).put("kept.a", 1);
  await core.stop();
  core.start();
  await expect(core.running.ready).rejects.toMatchObject({ code: "store_of_one_core", hint: expect.any(String) });
  core.start(alone);
  await core.running.ready;
  expect((await (await cluster.store()).get("kept.a"))?.value).toBe(1);
  await cluster.close();
});
