import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { subjects } from "../../../agent/bus/subjects.ts";
import { type TestCluster, type TestCore, testCluster, testNode, wishOf } from "../../support/cores.ts";
import { tool } from "../../support/tools.ts";
import { until } from "../../support/until.ts";

let cluster: TestCluster;
afterEach(() => cluster.close());

const reloadsOf = ({ log }: TestCore) =>
  log.lines.filter((line) => line.includes("Reloaded server configuration")).length;

async function one(): Promise<TestCore> {
  cluster = await testCluster(1);
  const [lead] = cluster.cores as [TestCore];
  lead.start();
  await lead.running.ready;
  return lead;
}

describe("many at once", () => {
  test("200 nodes come in with few reloads, and nobody who is there is cut off or misses a message", async () => {
    const lead = await one();
    const there = await cluster.member("router-0", ["router"], { address: "127.0.0.30" });
    const local = await cluster.local("health");
    const losses: boolean[] = [];
    for (const { bus } of [there, local]) bus.onConnection((connected) => losses.push(connected));
    const heard: number[] = [];
    there.bus.subscribe(subjects.routerRegister, ({ port }) => heard.push(port));
    await there.bus.flush();
    const speaker = await cluster.member("dea-999", ["dea"], { address: "127.0.0.31" });
    let said = 0;
    const talk = setInterval(() => {
      speaker.bus.publish(subjects.routerRegister, { host: "127.0.0.31", port: ++said, uris: [], tags: {} });
    }, 5);
    const before = reloadsOf(lead);
    const nodes = Array.from({ length: 200 }, (_, i) => testNode(`dea-${i}`, { address: `127.0.1.${i}` }));
    const answers = await Promise.all(
      nodes.map((node) => cluster.join(node, cluster.claim(node.id, ["dea"]), { timeout: 30_000 })),
    );
    expect(answers.filter((answer) => answer && "certificate" in answer)).toHaveLength(200);
    const [first, last] = [nodes[0], nodes[199]] as [(typeof nodes)[0], (typeof nodes)[0]];
    for (const node of [first, last]) expect(await wishOf(await cluster.enter(node), node.id)).toEqual(["dea"]);
    clearInterval(talk);
    await until(() => heard.length === said, { what: "all that was said is heard" });
    expect(heard).toEqual(Array.from({ length: said }, (_, i) => i + 1));
    expect(losses).toEqual([]);
    expect(reloadsOf(lead) - before).toBeLessThan(60);
  });

  test("3000 messages go through the core without being lost or put in another order", async () => {
    await one();
    const listener = await cluster.local("router");
    const heard: number[] = [];
    listener.bus.subscribe(subjects.routerRegister, ({ port }) => heard.push(port));
    await listener.bus.flush();
    const { bus } = await cluster.member("dea-0", ["dea"], { address: "127.0.0.20" });
    for (let port = 0; port < 3000; port++) bus.publish(subjects.routerRegister, route(port));
    await until(() => heard.length === 3000, { what: "all are passed on" });
    expect(heard).toEqual(Array.from({ length: 3000 }, (_, i) => i));
  });

  const route = (port: number) => ({ host: "127.0.0.20", port, uris: ["a.example", "b.example"], app: "a", tags: {} });
});

describe("a core that comes back", () => {
  test("lets those in that it knew before the store can be read, and forgets those that were shut out meanwhile", async () => {
    const lead = await one();
    const { node } = await cluster.member("dea-0", ["dea"]);
    await lead.stop();
    const file = join(lead.home, "members.json");
    const known = JSON.parse(await readFile(file, "utf8"));
    const ghost = testNode("dea-7");
    const { key, tlsKey, instance, address, index } = ghost;
    known.members["dea-7"] = { key, tlsKey, instance, address, index, roles: ["dea"], claim: "dea-7.1" };
    await writeFile(file, JSON.stringify(known));
    lead.start();
    const entered = await cluster.enter(ghost);
    const gone = new Promise<void>((resolve) => entered.bus.onConnection((connected) => !connected && resolve()));
    await gone;
    await lead.running.ready;
    expect(await wishOf(await cluster.enter(node), "dea-0")).toEqual(["dea"]);
  });

  test("has the same users when its server is killed, and takes up changes again", async () => {
    const lead = await one();
    const { node, bus } = await cluster.member("dea-0", ["dea"]);
    const back = new Promise<void>((resolve) => bus.onConnection((connected) => connected && resolve()));
    process.kill(await lead.pid(), "SIGKILL");
    await back;
    const second = testNode("dea-1", { address: "127.0.0.21" });
    await until(async () => await cluster.join(second, cluster.claim("dea-1", ["dea"]), { timeout: 1000 }), {
      what: "another node is let in",
    });
    for (const it of [node, second]) expect(await wishOf(await cluster.enter(it), it.id)).toEqual(["dea"]);
  });

  test("after a kill -9 in the middle of an admission gives the same machine the same answer", async () => {
    cluster = await testCluster(1);
    const [lead] = cluster.cores as [TestCore];
    const node = testNode("dea-0");
    const claim = cluster.claim("dea-0", ["dea"]);
    const place = { node: "lead-0", name: "trio", cores: ["127.0.0.1"], ca: cluster.authority.certificate, routes: 0 };
    const more = { identity: lead.identity, instance: "i", roles: ["core"] };
    const url = (path: string) => new URL(`../../../agent/${path}`, import.meta.url).pathname;
    const options = {
      ...{
        index: 0,
        address: "127.0.0.1",
        beat: 100,
        home: lead.home,
        port: cluster.port,
        program: tool("nats-server"),
      },
      cluster: { ...place, ...more },
    };
    // Ends the agent and its server when the member is written down: before the answer, and before a reload.
    const script = `
      import { core } from "${url("core/core.ts")}";
      import { start } from "${url("run/runner.ts")}";
      import { readFileSync } from "node:fs";
      const end = (fields, message) => {
        if (message !== "a node was let in") return;
        process.kill(Number(readFileSync("${lead.home}/nats.pid", "utf8")), "SIGKILL");
        process.kill(process.pid, "SIGKILL");
      };
      const log = { debug() {}, info: end, warn() {}, error() {}, child: () => log };
      start(core({ log, ...${JSON.stringify(options)} })).ready.then(() => console.log("ready"));`;
    const child = execFile(process.execPath, ["--input-type=module", "-e", script]);
    await once(child.stdout ?? child, "data");
    expect(await cluster.join(node, claim, { timeout: 2000 })).toBeUndefined();
    if (child.signalCode === null) await once(child, "exit");
    expect(child.signalCode).toBe("SIGKILL");
    lead.start();
    await lead.running.ready;
    const rival = testNode("dea-0", { instance: "i-rival" });
    expect(await cluster.join(rival, claim)).toMatchObject({ error: { code: "claim_used" } });
    expect(await cluster.join(node, claim)).toHaveProperty("certificate");
    expect(await wishOf(await cluster.enter(node), "dea-0")).toEqual(["dea"]);
  });

  test("takes up changes as well when it is traced", async () => {
    cluster = await testCluster(1);
    const [lead] = cluster.cores as [TestCore];
    lead.start({ trace: join(cluster.home, "trace.log") });
    await lead.running.ready;
    const { node, bus } = await cluster.member("dea-0", ["dea"]);
    expect(await wishOf({ bus } as Parameters<typeof wishOf>[0], node.id)).toEqual(["dea"]);
    expect(lead.log.lines.join()).not.toContain("did not take");
  });
});
