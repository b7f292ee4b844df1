import { generateKeyPairSync, X509Certificate } from "node:crypto";
import { once } from "node:events";
import { readFile, rm, stat, writeFile } from "node:fs/promises";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import { connect } from "node:tls";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { dial, dialOnce } from "../../../agent/bus/nats.ts";
import { newSeed, publicKeyOf } from "../../../agent/bus/nkeys.ts";
import { at } from "../../../agent/bus/subject.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { certificateKeeper } from "../../../agent/core/certificateKeeper.ts";
import { silent } from "../../../agent/run/log.ts";
import { authorityOf } from "../../../pki/authority.ts";
import { makeClaim } from "../../../pki/claim.ts";
import { refusalsOf, type TestCluster, type TestCore, testCluster, testNode, wishOf } from "../../support/cores.ts";
import { recordingLog } from "../../support/recordingLog.ts";
import { until } from "../../support/until.ts";

let cluster: TestCluster;
let lead: TestCore;
beforeAll(async () => {
  cluster = await testCluster(1);
  lead = cluster.cores[0] as TestCore;
  lead.start();
  await lead.running.ready;
});
afterAll(() => cluster.close());

const hour = 3_600_000;
const codeOf = (answer: Awaited<ReturnType<TestCluster["join"]>>) =>
  answer && ("error" in answer ? answer.error.code : "let in");

describe("a machine with a good claim", () => {
  test("gets a certificate for its key and address, and speaks on the bus as soon as it hears so", async () => {
    const node = testNode("dea-0", { address: "127.0.0.20" });
    const answer = await cluster.join(node, cluster.claim("dea-0", ["dea"]));
    if (!answer || "error" in answer) throw new Error(JSON.stringify(answer));
    const certificate = new X509Certificate(answer.certificate);
    expect(certificate.verify(new X509Certificate(cluster.authority.certificate).publicKey)).toBe(true);
    expect(certificate.publicKey.export({ type: "spki", format: "pem" })).toBe(node.tlsKey);
    expect([certificate.checkHost("dea-0"), certificate.checkIP("127.0.0.20")]).toEqual(["dea-0", "127.0.0.20"]);
    const as = { user: "dea-0", seed: node.seed, name: "dea-0", log: silent };
    const one = await dialOnce({ servers: lead.url, ca: cluster.authority.certificate, ...as });
    expect(await wishOf(one, "dea-0")).toEqual(["dea"]);
    await one.close();
    expect(lead.log.lines.join("\n")).toMatch(/info a node was let in .*"node":"dea-0","instance":"i-dea-0"/);
  });

  test("may ask again with the same key and instance, also when the claim has expired meanwhile", async () => {
    const node = testNode("dea-1");
    const claim = cluster.claim("dea-1", ["dea"], Date.now() - hour + 400);
    expect(codeOf(await cluster.join(node, claim))).toBe("let in");
    await until(() => Date.now() > Date.parse(claim.expires), { what: "the claim expires" });
    expect(codeOf(await cluster.join(node, claim))).toBe("let in");
    expect(codeOf(await cluster.join(node, claim, { request: { address: "127.0.0.21" } }))).toBe("let in");
  });

  test("takes the place of the machine that had its name: the old one is cut off", async () => {
    const old = await cluster.member("dea-2", ["dea"]);
    const gone = new Promise<void>((resolve) => old.bus.onConnection((connected) => !connected && resolve()));
    const young = testNode("dea-2");
    expect(codeOf(await cluster.join(young, cluster.claim("dea-2", ["dea"], Date.now() + 5)))).toBe("let in");
    await gone;
    const one = await cluster.enter(young);
    expect(await wishOf(one, "dea-2")).toEqual(["dea"]);
    expect(young.dea).not.toBe(old.node.dea);
  });
});

describe("a machine is not let in, and both sides know why,", () => {
  let used: ReturnType<typeof testNode>;
  let claim: ReturnType<TestCluster["claim"]>;
  beforeAll(async () => {
    used = testNode("dea-5");
    claim = cluster.claim("dea-5", ["dea"]);
    await cluster.join(used, claim);
  });

  const stranger = authorityOf({
    cluster: "trio",
    seed: Buffer.alloc(32, 1).toString("base64"),
    created: "2026-01-01",
  });
  const forged = () => makeClaim({ join: stranger.join, node: "dea-6", roles: ["dea"], now: Date.now() });
  const cases = {
    "whose claim was made by somebody else": () => [testNode("dea-6"), forged(), "claim_forged"],
    "whose claim was given more roles than it had": () => [
      testNode("dea-6"),
      { ...cluster.claim("dea-6", ["dea"]), roles: ["dea", "controller"] },
      "claim_forged",
    ],
    "whose claim has expired": () => [
      testNode("dea-6"),
      cluster.claim("dea-6", ["dea"], Date.now() - 2 * hour),
      "claim_expired",
    ],
    "whose claim is that of another node": () => [testNode("dea-6"), claim, "claim_of_another_node"],
    "which shows a claim again with another key": () => [testNode("dea-5"), claim, "claim_used"],
    "which shows a claim again as another machine": () => [{ ...used, instance: "i-other" }, claim, "claim_used"],
    "which shows an earlier claim than the one that was used": () => [
      testNode("dea-5"),
      cluster.claim("dea-5", ["dea"], Date.now() - hour / 2),
      "claim_used",
    ],
    "which has the key of another node": () => [
      { ...testNode("dea-6"), key: used.key },
      cluster.claim("dea-6", ["dea"]),
      "key_in_use",
    ],
    "whose key is none": () => [
      { ...testNode("dea-6"), key: "UNSENSE" },
      cluster.claim("dea-6", ["dea"]),
      "bad_request",
    ],
    "whose key for the certificate is none": () => [
      { ...testNode("dea-6"), tlsKey: "-----BEGIN PUBLIC KEY-----" },
      cluster.claim("dea-6", ["dea"]),
      "bad_request",
    ],
    "whose address is none": () => [
      { ...testNode("dea-6"), address: "example.com" },
      cluster.claim("dea-6", ["dea"]),
      "bad_request",
    ],
    "whose name would be more than a name": () => [
      testNode("dea-6.>"),
      cluster.claim("dea-6.>", ["dea"]),
      "bad_request",
    ],
  } satisfies Record<string, () => [ReturnType<typeof testNode>, ReturnType<TestCluster["claim"]>, string]>;

  test.each(Object.entries(cases))("%s", async (_situation, make) => {
    const [node, shown, code] = make() as [ReturnType<typeof testNode>, typeof claim, string];
    const before = lead.log.lines.length;
    const answer = await cluster.join(node, shown);
    expect(answer).toMatchObject({ error: { code, message: expect.any(String), hint: expect.any(String) } });
    const said = lead.log.lines.slice(before).filter((line) => line.includes(code));
    expect(said.join()).toContain(`"instance":"${node.instance}","address":"${node.address}"`);
    expect(said.join()).not.toContain(shown.secret);
  });
});

describe("whoever is not let in yet", () => {
  const joiner = async () => {
    const as = { name: "joiner", user: "joiner.x", log: silent };
    return await dial({ servers: lead.url, ca: cluster.authority.certificate, ...as });
  };

  test("can ask to be let in and hear the answer, and nothing else", async () => {
    const one = await joiner();
    const every = Object.values(subjects).map(({ name }) => name.replace(/\{\w+\}/g, "x"));
    const refused = await refusalsOf(one, ({ connection }) => {
      const said = [...every, "tutti.v1.by.dea-0.dea.heartbeat", "$JS.API.INFO", "$KV.tutti.a", "$SYS.REQ.SERVER.PING"];
      for (const subject of [...said, "_INBOX_controller.x", "_R_.x"]) connection.publish(subject, "{}");
    });
    expect(refused).toHaveLength(every.length + 6 - 1);
    expect(refused).not.toContain("publish tutti.v1.join");
    const heard = [
      ">",
      "*.>",
      "dea.*.start",
      "tutti.v1.join",
      "_INBOX_dea-0.>",
      "_INBOX_>",
      "$SYS.>",
      "_R_.>",
      "$KV.>",
    ];
    const deaf = await refusalsOf(await joiner(), ({ connection }) => {
      for (const subject of heard.slice(0, 7)) connection.subscribe(subject, { callback: () => {} });
    });
    expect(deaf).toHaveLength(7);
    await one.close();
  });

  test("has room for a claim and no more", async () => {
    const one = await joiner();
    expect(one.connection.info?.max_payload).toBe(16 * 1024);
    const many = await refusalsOf(one, ({ connection }) => {
      for (let i = 0; i < 12; i++) connection.subscribe(`_INBOX_joiner.${i}`, { callback: () => {} });
    });
    expect(many).toContain("maximum subscriptions exceeded");
    await one.close();
  });

  test("cannot have the answer sent to where it would do harm", async () => {
    const store = await cluster.store();
    await store.put("users.a", { password: "x" });
    const one = await joiner();
    const asked = { node: "x", claim: cluster.claim("x", ["dea"]), instance: "i", address: "1", index: 0 };
    const text = JSON.stringify({ ...asked, key: "U", tlsKey: "" });
    for (const reply of ["$KV.tutti.users.a", "dea.stop", "$JS.API.STREAM.PURGE.KV_tutti"])
      one.connection.publish("tutti.v1.join", text, { reply });
    await one.bus.flush();
    expect(codeOf(await cluster.join(testNode("x"), forgedFor("x")))).toBe("claim_forged");
    expect((await store.get("users.a"))?.value).toEqual({ password: "x" });
    await one.close();
  });

  const forgedFor = (node: string) => ({ ...cluster.claim(node, ["dea"]), secret: "x" });

  test("fills the log of a core with no more than a few lines", async () => {
    const before = lead.log.lines.length;
    for (let i = 0; i < 100; i++) await cluster.join(testNode("z"), forgedFor("z"));
    const lines = lead.log.lines.slice(before).filter((line) => line.startsWith("warn a machine is not let in"));
    expect(lines.length).toBeLessThanOrEqual(60);
  });
});

describe("a member", () => {
  test("gets a new certificate for a new address and a new key, on nobody's word but its own", async () => {
    const { node, bus } = await cluster.member("dea-30", ["dea"], { address: "127.0.0.30" });
    const tlsKey = generateKeyPairSync("ec", { namedCurve: "prime256v1" }).publicKey;
    const request = {
      instance: node.instance,
      address: "127.0.0.31",
      tlsKey: tlsKey.export({ type: "spki", format: "pem" }).toString(),
    };
    const renew = (id: string, more = {}) =>
      bus.request(at(subjects.nodeRenew, { node: id }), { ...request, ...more }, { timeout: 2000 });
    const answer = await renew("dea-30");
    if (!answer || "error" in answer) throw new Error(JSON.stringify(answer));
    expect(new X509Certificate(answer.certificate).checkIP("127.0.0.31")).toBe("127.0.0.31");
    expect(await renew("dea-30", { instance: "i-copy" })).toMatchObject({ error: { code: "wrong_instance" } });
    expect(await renew("dea-30", { address: "nowhere" })).toMatchObject({ error: { code: "bad_request" } });
    expect(await renew("dea-0")).toBeUndefined();
  });

  test("that was shut out is cut off at once, and stays out until it gets a newer claim", async () => {
    const { node, bus } = await cluster.member("dea-40", ["dea"]);
    const innocent = await cluster.member("dea-41", ["dea"]);
    const losses: boolean[] = [];
    innocent.bus.onConnection((connected) => losses.push(connected));
    const gone = new Promise<void>((resolve) => bus.onConnection((connected) => !connected && resolve()));
    const controller = await cluster.local("controller");
    const early = cluster.claim("dea-40", ["dea"], Date.now());
    const began = performance.now();
    expect(await controller.bus.request(subjects.revoke, { node: "dea-40" }, { timeout: 5000 })).toEqual({
      revoked: "dea-40",
    });
    await gone;
    expect(performance.now() - began).toBeLessThan(5000);
    expect(losses).toEqual([]);
    for (const claim of [early, cluster.claim("dea-40", ["dea"], Date.now() - hour / 2)])
      expect(codeOf(await cluster.join(node, claim))).toBe("node_revoked");
    const refused = dialOnce({
      servers: lead.url,
      ca: cluster.authority.certificate,
      name: "x",
      user: "dea-40",
      seed: node.seed,
      log: silent,
    });
    await expect(refused).rejects.toThrow();
    expect(codeOf(await cluster.join(node, cluster.claim("dea-40", ["dea"], Date.now() + 1)))).toBe("let in");
    expect(await wishOf(await cluster.enter(node), "dea-40")).toEqual(["dea"]);
  });

  test("nobody knows cannot be shut out, and neither can a core", async () => {
    const controller = await cluster.local("controller");
    for (const node of ["nobody", "lead-0"])
      expect(await controller.bus.request(subjects.revoke, { node }, { timeout: 5000 })).toMatchObject({
        error: { code: "no_such_node", hint: expect.any(String) },
      });
  });

  test("that gets another role hears so when it may speak for it, and one that loses it may end in good order", async () => {
    const { node, bus, ...rest } = await cluster.member("node-50", ["dea"]);
    const told: { roles: string[] }[] = [];
    bus.subscribe(at(subjects.nodeRoles, { node: node.id }), (roles) => told.push(roles));
    await bus.flush();
    const store = await cluster.store();
    await store.put("nodes.node-50", { roles: ["router"] });
    await until(() => told.length > 0, { what: "the node is told" });
    expect(told[0]).toEqual({ roles: ["router"] });
    const one = { bus, ...rest };
    const refused = await refusalsOf(one, ({ connection }) => {
      connection.subscribe("router.register", { callback: () => {} });
      connection.publish("tutti.v1.by.node-50.dea.shutdown", "{}");
    });
    expect(refused).toEqual([]);
    expect(await wishOf(one, "node-50")).toEqual(["router"]);
    // Sixty beats later.
    await until(
      async () => {
        const again = await refusalsOf(one, ({ connection }) =>
          connection.publish("tutti.v1.by.node-50.dea.shutdown", "{}"),
        );
        return again.length > 0;
      },
      { what: "the role's permissions are gone" },
    );
  });
});

describe("a claim that the controller asks for", () => {
  test("lets a machine in that somebody attaches, with what it has to know", async () => {
    const { bus } = await cluster.local("controller");
    const asked = { node: "attached-0", roles: ["dea", "router"] };
    const answer = await bus.request(subjects.claim, asked, { timeout: 5000 });
    if (!answer || "error" in answer) throw new Error(JSON.stringify(answer));
    expect(answer).toMatchObject({ cores: ["127.0.0.1"], ca: cluster.authority.certificate });
    expect(codeOf(await cluster.join(testNode("attached-0"), answer.claim))).toBe("let in");
    const next = await bus.request(subjects.claim, asked, { timeout: 5000 });
    if (!next || "error" in next) throw new Error(JSON.stringify(next));
    expect(codeOf(await cluster.join(testNode("attached-0"), next.claim))).toBe("let in");
  });

  test("is not made for a core, or for what is no node", async () => {
    const { bus } = await cluster.local("controller");
    for (const asked of [
      { node: "lead-0", roles: ["dea"] },
      { node: "a.b", roles: ["dea"] },
      { node: "a", roles: [] },
      { node: "a", roles: ["core"] },
    ])
      expect(await bus.request(subjects.claim, asked, { timeout: 5000 })).toMatchObject({
        error: { code: "bad_request" },
      });
  });
});

describe("the core's own node", () => {
  test("has its certificate, its wish, and files that nobody else reads", async () => {
    const certificate = new X509Certificate(await readFile(join(lead.identity, "tls.crt"), "utf8"));
    expect([certificate.checkHost("lead-0"), certificate.checkIP("127.0.0.1")]).toEqual(["lead-0", "127.0.0.1"]);
    expect(await wishOf(await cluster.local("node"), "lead-0")).toEqual(["core", "controller"]);
    for (const file of ["tls.key", "tls.crt"])
      expect((await stat(join(lead.identity, file))).mode & 0o077, file).toBe(0);
    for (const file of ["nats.conf", "members.json", "ca.pem"])
      expect((await stat(join(lead.home, file))).mode & 0o077, file).toBe(0);
    const config = await readFile(join(lead.home, "nats.conf"), "utf8");
    expect(config).not.toContain(cluster.authority.join);
    expect(lead.log.lines.join()).not.toContain(cluster.authority.join);
  });

  test("shows its new certificate from the next reload on, without cutting anybody off", async () => {
    const bystander = await cluster.local("health");
    const losses: boolean[] = [];
    bystander.bus.onConnection((connected) => losses.push(connected));
    const place = { authority: cluster.authority, identity: lead.identity, node: "lead-0", address: "127.0.0.1" };
    const keeper = await certificateKeeper(place);
    let told = 0;
    keeper.tls.onChange?.(() => told++);
    expect([await keeper.renew(), told]).toEqual([false, 0]);
    const before = await serialShown();
    expect(before).toBe(new X509Certificate(keeper.tls.cert).serialNumber);
    await writeFile(join(lead.identity, "tls.crt"), "");
    expect([await keeper.renew(), told]).toEqual([true, 1]);
    await cluster.member("dea-70", ["dea"], { address: "127.0.0.70" });
    expect(await serialShown()).toBe(new X509Certificate(keeper.tls.cert).serialNumber);
    expect(await serialShown()).not.toBe(before);
    expect(losses).toEqual([]);
  });

  /** What the server shows to those who connect. The server speaks first, then TLS begins. */
  async function serialShown(): Promise<string> {
    const socket = connectTcp({ host: "127.0.0.1", port: cluster.port });
    await once(socket, "data");
    const secure = connect({ socket, ca: cluster.authority.certificate, servername: "lead-0" });
    await once(secure, "secureConnect");
    const { serialNumber } = secure.getPeerCertificate();
    secure.destroy();
    return serialNumber;
  }

  test("is no core without the cluster's identity, and says who delivers it", async () => {
    const other = await testCluster(1);
    const [core] = other.cores as [TestCore];
    const file = join(core.identity, "authority.json");
    const attempt = async () => {
      core.start();
      return await core.running.ready.catch((error: unknown) => error);
    };
    const stranger = authorityOf({ cluster: "b", seed: Buffer.alloc(32, 1).toString("base64"), created: "2026-01-01" });
    await writeFile(file, JSON.stringify(stranger));
    expect(await attempt()).toMatchObject({ code: "wrong_identity" });
    for (const text of ["{", JSON.stringify({ ...other.authority, key: stranger.key })]) {
      await writeFile(file, text);
      expect(await attempt()).toMatchObject({ code: "no_identity", hint: "tutti bootstrap delivers it" });
    }
    await rm(file);
    expect(await attempt()).toMatchObject({ code: "no_identity", message: expect.stringContaining("is not there") });
    await other.close();
  });
});

test("a machine that offers an unencrypted connection, or trusts another authority, does not come in", async () => {
  const plain = { servers: lead.url.replace("tls:", "nats:"), name: "x", user: "joiner.x", log: recordingLog() };
  await expect(dialOnce({ ...plain })).rejects.toThrow();
  const stranger = authorityOf({ cluster: "b", seed: Buffer.alloc(32, 1).toString("base64"), created: "2026-01-01" });
  await expect(dialOnce({ ...plain, servers: lead.url, ca: stranger.certificate })).rejects.toThrow();
  const seed = newSeed();
  const unknown = { ...plain, servers: lead.url, ca: cluster.authority.certificate, user: "x", seed };
  await expect(dialOnce(unknown), publicKeyOf(seed)).rejects.toThrow();
});
