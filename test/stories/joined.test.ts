import { readlinkSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type AgentCluster, agentCluster, type TestAgent } from "../support/agents.ts";
import { hello } from "../support/apps.ts";
import { ask } from "../support/router.ts";
import { until } from "../support/until.ts";

// Several machines become one cluster: real agents, each with an address and a node.json of its own.

let cluster: AgentCluster;
let deas: TestAgent[];
afterAll(() => cluster.remove());

const line = (one: TestAgent, name: string) => one.status().find((each) => each.name === name);
interface Whoami {
  pid: number;
  index: number;
  instance: string;
}

/** Which instances answer, seen over some requests. */
async function instances(requests = 12): Promise<Map<number, Whoami>> {
  const found = new Map<number, Whoami>();
  for (let i = 0; i < requests; i++) {
    const { status, body } = await ask(cluster.router, `hello.${cluster.domain}`, { path: "/whoami" });
    if (status !== 200) throw new Error(`${status}: ${body}`);
    const one = JSON.parse(body) as Whoami;
    found.set(one.index, one);
  }
  return found;
}
const pids = async () => [...(await instances()).values()].map(({ pid }) => pid).sort();
const nodes = async () => (await cluster.json<{ nodes: { id: string; state: string }[] }>("node", "list")).nodes;
const below = (one: TestAgent, pid: number) => readlinkSync(`/proc/${pid}/cwd`).startsWith(one.home);

describe("a cluster of three machines", () => {
  beforeAll(async () => {
    cluster = await agentCluster();
  });

  it("waits for its identity, and says so", async () => {
    cluster.core.start();
    await until(() => line(cluster.core, "identity")?.code === "waiting_for_identity", { what: "the core says so" });
    deas = [cluster.machine("dea-0", ["dea"]), cluster.machine("dea-1", ["dea"])];
    for (const one of deas) one.start();
    for (const one of deas)
      await until(() => line(one, "identity")?.code === "waiting_for_core", { what: `${one.id} says so` });
  });

  it("comes up by itself when the identity is there", async () => {
    cluster.identity();
    await cluster.core.ready();
    for (const one of deas) await one.ready();
    await cluster.login();
    await until(async () => (await nodes()).filter(({ state }) => state === "up" || state === "UP").length === 3, {
      what: "all are up",
    });
  });

  it("has said no field twice in its log, and nothing secret", () => {
    for (const one of [cluster.core, ...deas]) {
      for (const text of one.log().trim().split("\n"))
        expect([...text.matchAll(/"component":/g)].length).toBeLessThan(2);
      for (const secret of one.secrets()) expect(one.log()).not.toContain(secret);
    }
  });

  it("runs an app on both DEAs, and answers for it through the router", async () => {
    await cluster.json("push", "hello", "--path", hello, "--instances", "2");
    await until(async () => (await instances()).size === 2, { what: "both answer" });
    const found = await pids();
    for (const one of deas) expect(found.some((pid) => below(one, pid))).toBe(true);
  });

  it("shows files and logs of an instance, which its DEA serves to the controller alone", async () => {
    const { text } = await cluster.json<{ text: string }>("files", "hello", "app/");
    expect(text).toContain("package.json");
  });

  it("finds its components healthy, each by its own word over HTTPS", async () => {
    const healthy = async () => {
      const { healthy, components } = await cluster.json<{ healthy: boolean; components: object[] }>("status");
      return healthy && components.length === 7;
    };
    await until(healthy, { what: "the cluster is ready" });
  });
});

describe("a DEA's agent is killed", () => {
  it("its instance goes on, answers all the time, and is taken over by the next agent", async () => {
    const [one] = deas as [TestAgent];
    const before = await pids();
    await one.kill();
    expect(await pids()).toEqual(before);
    one.start();
    await one.ready();
    expect(one.log()).toContain("goes on: the agent was restarted");
    expect(await pids()).toEqual(before);
  });
});

describe("the core's agent is killed", () => {
  it("the app answers meanwhile, and all nodes find each other again", async () => {
    const before = await pids();
    await cluster.core.kill();
    cluster.core.start();
    await cluster.core.ready();
    await until(async () => (await nodes().catch(() => [])).length === 3, { what: "all are there" });
    expect(await pids()).toEqual(before);
  });
});

describe("a node is removed", () => {
  it("the bus knows it no longer, it says why, and its work is done by the others", async () => {
    const [first, second] = deas as [TestAgent, TestAgent];
    await cluster.json("node", "remove", "dea-0", "--force", "--yes");
    await until(() => line(first, "identity")?.code === "node_revoked", { what: "it says why" });
    expect(line(first, "identity")).toMatchObject({ state: "failing", reason: expect.stringContaining("was removed") });
    await until(
      async () => {
        const found = await instances().catch(() => new Map<number, Whoami>());
        return found.size === 2 && [...found.values()].every(({ pid }) => below(second, pid));
      },
      { what: "both instances run on the other DEA" },
    );
    expect(first.log().split("\n").length).toBeLessThan(400);
  });

  it("and does not come back by being started anew", async () => {
    const [first] = deas as [TestAgent];
    await first.stop();
    first.start();
    await until(() => line(first, "identity")?.code === "node_revoked", { what: "it says why" });
    expect((await nodes()).filter(({ id, state }) => id === "dea-0" && /up/i.test(state))).toEqual([]);
  });
});

describe("a cluster of three cores, one of which has all roles", () => {
  beforeAll(async () => {
    await cluster.remove();
    const all = ["core", "controller", "health", "router", "stager", "dea"] as const;
    cluster = await agentCluster({ cores: [all, ["core", "dea"], ["core"]] });
    cluster.identity();
    for (const one of cluster.cores) one.start();
  });

  it("comes up and runs an app on cores that are DEAs as well", async () => {
    for (const one of cluster.cores) await one.ready();
    await cluster.login();
    await cluster.json("push", "hello", "--path", hello, "--instances", "2");
    await until(async () => (await instances()).size === 2, { what: "both answer" });
    const found = await pids();
    for (const one of cluster.cores.slice(0, 2)) expect(found.some((pid) => below(one, pid))).toBe(true);
  });

  it("goes on when it loses one, lets another machine in meanwhile, and takes the lost one back", async () => {
    const [, , third] = cluster.cores as [TestAgent, TestAgent, TestAgent];
    await third.stop();
    const late = cluster.machine("dea-0", ["dea"]);
    late.start();
    await late.ready();
    await cluster.json("scale", "hello", "--instances", "3");
    await until(async () => [...(await instances()).values()].some(({ pid }) => below(late, pid)), {
      what: "an instance runs on the new machine",
    });
    third.start();
    await third.ready();
  });
});
