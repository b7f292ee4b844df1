import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import { json } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Dialed } from "../../../agent/bus/nats.ts";
import { at, type Subject } from "../../../agent/bus/subject.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { jetstreamStore } from "../../../agent/store/jetstream.ts";
import { objectBlobs } from "../../../agent/store/objects.ts";
import { refusalsOf, type TestCluster, type TestCore, type TestNode, testCluster } from "../../support/cores.ts";
import { until } from "../../support/until.ts";

// Somebody has the key of one DEA's node, and says with it what that node never would.

let cluster: TestCluster;
let lead: TestCore;
let thief: { node: TestNode } & Dialed;
let victim: { node: TestNode } & Dialed;
let eyes: Dialed;
const heard: { subject: string; payload: Record<string, unknown> }[] = [];

beforeAll(async () => {
  cluster = await testCluster(1);
  lead = cluster.cores[0] as TestCore;
  lead.start();
  await lead.running.ready;
  thief = await cluster.member("dea-0", ["dea"], { address: "127.0.0.20" });
  victim = await cluster.member("dea-1", ["dea"], { address: "127.0.0.21" });
  eyes = await cluster.local("core");
  const callback = (_error: unknown, msg: { subject: string; string(): string }) =>
    void heard.push({ subject: msg.subject, payload: JSON.parse(msg.string() || "{}") });
  for (const { name, of } of Object.values(subjects) as Subject<unknown>[])
    if (of) eyes.connection.subscribe(name, { callback });
  await eyes.bus.flush();
});
afterAll(() => cluster.close());

/** Sends as the thief's node, then something true, and tells what came before that. */
async function passedOn(messages: [subject: string, payload: unknown][]): Promise<typeof heard> {
  heard.length = 0;
  for (const [subject, payload] of messages)
    thief.connection.publish(
      `tutti.v1.by.dea-0.${subject}`,
      typeof payload === "string" ? payload : JSON.stringify(payload),
    );
  thief.bus.publish(subjects.deaShutdown, { id: thief.node.dea, ip: "", version: "end", app_id_to_count: {} });
  await until(() => heard.some(({ payload }) => payload["version"] === "end"), {
    what: "the last message was passed on",
  });
  return heard.filter(({ payload }) => payload["version"] !== "end");
}

const entry = (instance: string, droplet = "app") => ({
  ...{
    droplet,
    version: "v",
    instance,
    index: 0,
    state: "RUNNING" as const,
    state_timestamp: 1,
    cc_partition: "default",
  },
});
const exit = (instance: string, droplet = "app") => ({
  ...{ droplet, version: "v", instance, index: 0, reason: "CRASHED" as const, cc_partition: "default" },
  ...{ exit_status: 1, exit_description: "" },
});
const route = (host: string, dea?: string) => ({
  host,
  port: 1,
  uris: ["a.example"],
  ...(dea ? { dea } : {}),
  tags: {},
});

describe("what a DEA says of itself", () => {
  test("is passed on as it is", async () => {
    const { dea, address } = thief.node;
    const own = [
      ["dea.start", { id: dea, ip: address, port: 0, version: "1" }],
      ["dea.advertise", { id: dea, available_memory: 1, app_id_to_count: {} }],
      ["dea.heartbeat", { dea, droplets: [entry("mine")] }],
      ["droplet.exited", exit("mine")],
      ["router.register", route(address, dea)],
      ["router.unregister", route(address)],
    ] as [string, object][];
    const passed = await passedOn(own);
    expect(passed.map(({ subject }) => subject)).toEqual(own.map(([subject]) => subject));
    for (const [i, [, payload]] of own.entries()) expect(passed[i]?.payload).toMatchObject(payload);
  });

  test("reaches those who listen on the classic subjects, the other DEAs' as well", async () => {
    const router = await cluster.member("router-0", ["router"]);
    const registered: string[] = [];
    router.bus.subscribe(subjects.routerRegister, ({ host }) => registered.push(host));
    await router.bus.flush();
    victim.bus.publish(subjects.routerRegister, route("127.0.0.21"));
    await until(() => registered.length === 1, { what: "the route is registered" });
    expect(registered).toEqual(["127.0.0.21"]);
  });

  test("is what the core has understood: what others might read into the same bytes is not passed on", async () => {
    const twice =
      '{"host":"127.0.0.21","host":"127.0.0.20","port":1,"uris":[],"Host":"127.0.0.21","route_service_url":"x"}';
    const [passed] = await passedOn([["router.register", twice]]);
    expect(passed?.payload).toEqual({ host: "127.0.0.20", port: 1, uris: [], tags: {} });
  });
});

describe("the key of one DEA", () => {
  test("stops, starts and finds nothing, and asks nobody for anything that is the controller's", async () => {
    const said = ["dea.stop", "dea.update", "dea.discover", "dea.find.droplet", "dea.locate", "droplet.updated"];
    const starts = [
      `dea.${"0-a"}.start`,
      "dea.start",
      "dea.heartbeat",
      "droplet.exited",
      "dea.advertise",
      "dea.shutdown",
    ];
    const others = [
      "router.register",
      "router.unregister",
      "tutti.v1.node",
      "cloudcontrollers.hm.requests",
      "cc.staging.a",
    ];
    const power = ["tutti.v1.claim", "tutti.v1.revoke", "tutti.v1.join", "tutti.v1.node.dea-0.roles"];
    const elsewhere = ["tutti.v1.node.dea-1.wish", "tutti.v1.node.dea-1.renew", "tutti.v1.by.dea-1.dea.heartbeat"];
    const store = ["$KV.tutti.nodes.dea-0", "$KV.tutti.members.dea-1", "$JS.API.INFO", "$JS.API.STREAM.PURGE.KV_tutti"];
    const inner = [
      "_INBOX_controller.x",
      "_INBOX_dea-1.x",
      "_R_.x",
      "$SYS.REQ.SERVER.PING",
      "tutti.v1.by.dea-0.dea.stop",
    ];
    const all = [
      ...said,
      ...starts,
      ...others,
      ...power,
      ...elsewhere,
      ...store,
      ...inner,
      `dea.${victim.node.dea}.start`,
    ];
    const refused = await refusalsOf(thief, ({ connection }) => {
      for (const subject of all) connection.publish(subject, "{}");
    });
    expect(refused.sort()).toEqual(all.map((subject) => `publish ${subject}`).sort());
  });

  test("hears its own start messages and answers only", async () => {
    const all = [
      ...["dea.*.start", `dea.${victim.node.dea}.start`, "_INBOX_dea-1.>", "_INBOX_controller.>", ">", "*.>", "dea.>"],
      ...["tutti.v1.by.>", "tutti.v1.by.dea-1.>", "tutti.v1.join", "tutti.v1.node.*.roles", "$KV.tutti.>", "$SYS.>"],
      ...["dea.heartbeat", "router.register", "vcap.component.announce", "tutti.v1.log.*", "_R_.>", "$JS.>"],
    ];
    const refused = await refusalsOf(thief, ({ connection }) => {
      for (const subject of all) connection.subscribe(subject, { callback: () => {} });
      connection.subscribe(`dea.${thief.node.dea}.start`, { callback: () => {} });
    });
    expect(refused.sort()).toEqual(all.map((subject) => `subscription ${subject}`).sort());
  });

  test("gets a start message that is for it, and its answer to whoever asked", async () => {
    const controller = await cluster.local("controller");
    const subject = at(subjects.deaUuidStart, { uuid: victim.node.dea });
    victim.bus.subscribe(subject, (_start, { reply }) => reply({ ok: true, instance: "i" }));
    await victim.bus.flush();
    const start = { droplet: "a", name: "a", index: 0, version: "v", sha1: "", executableUri: "", uris: [] };
    const answer = await controller.bus.request(subject as Subject<unknown, unknown>, start, { timeout: 5000 });
    expect(answer).toEqual({ ok: true, instance: "i" });
  });

  test("reads and writes nothing in the store", async () => {
    await (await cluster.store()).put("users.a", { password: "x" });
    const store = jetstreamStore(thief.connection, { timeout: 300 });
    await expect(store.get("users.a")).rejects.toThrow();
    await expect(store.put("nodes.dea-0", { roles: ["controller"] })).rejects.toThrow();
    await expect(objectBlobs(thief.connection, { timeout: 300 }).has("a")).rejects.toThrow();
  });

  test("makes nobody answer to where the answer would do harm", async () => {
    const store = await cluster.store();
    await store.put("users.b", { password: "y" });
    const router = await cluster.local("router");
    let asked = 0;
    router.bus.subscribe(subjects.routerGreet, (_nothing, { reply }) => {
      asked++;
      reply({ id: "r", hosts: [], minimumRegisterIntervalInSeconds: 20, pruneThresholdInSeconds: 120 });
    });
    await router.bus.flush();
    for (const reply of ["$KV.tutti.users.b", "$JS.API.STREAM.PURGE.KV_tutti", "dea.stop"])
      thief.connection.publish("router.greet", "{}", { reply });
    await until(() => asked === 3, { what: "the router was asked" });
    await router.bus.flush();
    expect((await store.get("users.b"))?.value).toEqual({ password: "y" });
    expect((await thief.bus.request(subjects.routerGreet, {}, { timeout: 5000 }))?.id).toBe("r");
  });

  test("cannot speak of another DEA, another address or another node through the core either", async () => {
    const [mine, theirs] = [thief.node, victim.node];
    victim.bus.publish(subjects.deaHeartbeat, { dea: theirs.dea, prod: false, droplets: [entry("theirs")] });
    await until(() => heard.some(({ payload }) => payload["dea"] === theirs.dea), { what: "the victim has spoken" });
    const passed = await passedOn([
      ["dea.start", { id: theirs.dea, ip: "127.0.0.21", version: "1" }],
      ["dea.advertise", { id: theirs.dea, available_memory: 1_000_000 }],
      ["dea.shutdown", { id: theirs.dea, version: "1" }],
      ["dea.heartbeat", { dea: theirs.dea, droplets: [] }],
      ["dea.heartbeat", { dea: mine.dea, droplets: [entry("mine"), entry("theirs")] }],
      ["droplet.exited", exit("theirs")],
      ["droplet.exited", exit("mine", "another app")],
      ["router.register", route("127.0.0.21")],
      ["router.register", route("127.0.0.1")],
      ["router.register", route("127.0.0.20", theirs.dea)],
      ["router.unregister", route("127.0.0.21")],
      ["tutti.v1.node", { id: "dea-1", address: "", version: "", roles: [], components: [] }],
      ["router.register", "no JSON"],
      ["router.register", { port: 1 }],
    ]);
    expect(passed).toEqual([]);
    await until(async () => (await refused()) === 14, { what: "the core tells how many it has refused" });
    expect(lead.log.lines.join()).toMatch(/warn a message was not passed on.*"node":"dea-0"/);
  });

  /** As the core tells it, at most once a second anew. */
  const refused = async () => {
    const [self] = await (await cluster.local("tool")).bus.gather(
      subjects.discover,
      {},
      { timeout: 5000, expected: 1 },
    );
    const authorization = `Basic ${Buffer.from(self?.credentials.join(":") ?? "").toString("base64")}`;
    const asking = request(`https://${self?.host}/varz`, {
      headers: { authorization },
      ca: cluster.authority.certificate,
    });
    const [answer] = (await once(asking.end(), "response")) as [IncomingMessage];
    return ((await json(answer)) as { refused_messages: number }).refused_messages;
  };

  test("is no certificate that opens the way between cores, nor anything else than a key", async () => {
    const other = { ...thief.node, address: "127.0.0.1" };
    const claim = cluster.claim("dea-9", ["dea"]);
    expect(await cluster.join({ ...other, id: "dea-9" }, claim)).toMatchObject({ error: { code: "key_in_use" } });
  });
});
