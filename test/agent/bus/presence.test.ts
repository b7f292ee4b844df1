import { afterEach, describe, expect, test } from "vitest";
import { memoryNet } from "../../../agent/bus/memory.ts";
import { componentId, type PresenceOptions, presence } from "../../../agent/bus/presence.ts";
import { subjects } from "../../../agent/bus/subjects.ts";
import { silent } from "../../../agent/run/log.ts";
import { type Running, start } from "../../../agent/run/runner.ts";

const running: Running[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

async function present(options: Partial<PresenceOptions> = {}) {
  const net = memoryNet();
  const bus = net.join();
  const tool = net.join();
  const announced = Promise.withResolvers<{ host: string; credentials: [string, string] }>();
  tool.subscribe(subjects.announce, (message) => announced.resolve(message));
  const defaults = { bus, type: "DEA", index: 3, uuid: componentId(3), address: "127.0.0.1", log: silent };
  const one = start(presence({ ...defaults, varz: () => ({}), ...options }));
  running.push(one);
  await one.ready;
  const { host, credentials } = await announced.promise;
  const authorization = `Basic ${Buffer.from(credentials.join(":")).toString("base64")}`;
  const get = (path: string, headers: Record<string, string> = { authorization }) =>
    fetch(`http://${host}${path}`, { headers });
  return { tool, get, host, one };
}

describe("a component that is present", () => {
  test("has an id that is one token of a subject and new each time", () => {
    expect(componentId(2)).toMatch(/^2-[0-9a-f]{32}$/);
    expect(componentId(2)).not.toBe(componentId(2));
  });

  test("answers who is there with its address and its uptime", async () => {
    const { tool, host } = await present();
    const answers = await tool.gather(subjects.discover, {}, { timeout: 1000, expected: 1 });
    expect(answers).toMatchObject([{ type: "DEA", index: 3, host, uptime: expect.stringMatching(/^0d:0h:0m:\d+s$/) }]);
  });

  test("says nothing to a discovery without a reply subject", async () => {
    const problems: string[] = [];
    const net = memoryNet();
    await presentOn(net.join((problem) => problems.push(problem)));
    const tool = net.join();
    tool.publish(subjects.discover, {});
    await tool.flush();
    expect(problems).toEqual([]);
  });

  test("refuses whoever does not know its password", async () => {
    const { get } = await present();
    for (const headers of [{}, { authorization: "Basic Zm9vOmJhcg==" }] as Record<string, string>[])
      expect((await get("/varz", headers)).status).toBe(401);
  });

  test("is healthy while its bus is there, and tells the reason when it is not", async () => {
    let state: boolean | string = true;
    const { get } = await present({ healthy: () => state });
    expect(await (await get("/healthz")).text()).toBe("ok\n");
    state = "the disk is full";
    const sick = await get("/healthz");
    expect([sick.status, await sick.text()]).toEqual([503, "the disk is full\n"]);
    state = false;
    expect((await get("/healthz")).status).toBe(503);
  });

  test("is not healthy while the bus is away, and announces itself again when it is back", async () => {
    const net = memoryNet();
    const bus = net.join();
    const tool = net.join();
    const seen: { host: string; credentials: [string, string] }[] = [];
    tool.subscribe(subjects.announce, (message) => seen.push(message));
    await presentOn(bus);
    await tool.flush();
    const [first] = seen;
    bus.disconnect();
    const authorization = `Basic ${Buffer.from(first?.credentials.join(":") ?? "").toString("base64")}`;
    expect((await fetch(`http://${first?.host}/healthz`, { headers: { authorization } })).status).toBe(503);
    bus.reconnect();
    await tool.flush();
    expect(seen).toHaveLength(2);
    expect(seen[1]).toEqual(first);
  });

  test("shows numbers of its own and of its process as varz and as metrics", async () => {
    const { get } = await present({
      varz: () => ({ num_apps: 2, free: { memory_mib: 64 }, names: ["a"], full: false }),
    });
    const varz = (await (await get("/varz")).json()) as Record<string, number>;
    expect(varz).toMatchObject({ type: "DEA", num_apps: 2, num_cores: expect.any(Number), cpu: expect.any(Number) });
    expect(Math.abs((varz["mem"] ?? 0) * 1024 - (varz["mem_bytes"] ?? 0))).toBeLessThan(1024);
    expect(JSON.stringify(varz)).not.toContain("credentials");
    const metrics = await (await get("/metrics")).text();
    expect(metrics).toContain('# TYPE tutti_num_apps gauge\ntutti_num_apps{component="DEA",index="3"} 2\n');
    expect(metrics).toContain('tutti_free_memory_mib{component="DEA",index="3"} 64\n');
    expect(metrics).toContain('tutti_full{component="DEA",index="3"} 0\n');
  });

  test("asks for its numbers at most once a second however often they are read", async () => {
    let asked = 0;
    const { get } = await present({ varz: () => ({ asked: ++asked }) });
    for (let i = 0; i < 5; i++) await get("/varz");
    expect(asked).toBeLessThanOrEqual(2);
  });

  test("answers strange requests and lives on when its numbers cannot be made", async () => {
    const { get } = await present({
      varz: () => {
        throw new Error("no numbers");
      },
    });
    expect((await get("/varz")).status).toBe(500);
    expect((await get("//")).status).toBe(404);
    expect((await get("/healthz?x=1")).status).toBe(200);
  });

  test("is gone when it is stopped", async () => {
    const { get, one, tool } = await present();
    await one.stop();
    await expect(get("/healthz")).rejects.toThrow();
    expect(await tool.gather(subjects.discover, {}, { timeout: 20 })).toEqual([]);
  });
});

async function presentOn(bus: PresenceOptions["bus"]) {
  const one = start(
    presence({
      bus,
      type: "Router",
      index: 0,
      uuid: componentId(0),
      address: "127.0.0.1",
      varz: () => ({}),
      log: silent,
    }),
  );
  running.push(one);
  await one.ready;
}
