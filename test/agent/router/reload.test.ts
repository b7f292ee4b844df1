import { readFile } from "node:fs/promises";
import http from "node:http";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { commandSocket } from "../../../agent/router/commandSocket.ts";
import { type Answer, type App, app, ask, eventually, type TestRouter, testRouter } from "../../support/router.ts";

let a: App;
let one: TestRouter;
beforeAll(async () => {
  a = await app("a");
  one = await testRouter({ spareSlots: 8 });
});
afterAll(async () => {
  await one.stop();
  await a.close();
});

const ok = ({ status }: Answer) => status === 200;

/** Clients that ask without a pause until told to stop; resolves with everything that was not a 200. */
function clients(host: string, agents: (http.Agent | undefined)[]) {
  let asking = true;
  let count = 0;
  const loop = async (agent: http.Agent | undefined) => {
    const wrong: unknown[] = [];
    while (asking) {
      const answer = await ask(one.port, host, agent ? { agent } : {}).catch((error: Error) => error);
      count++;
      if (answer instanceof Error) wrong.push(answer.message);
      else if (answer.status !== 200) wrong.push(answer.status);
    }
    agent?.destroy();
    return wrong;
  };
  const all = Promise.all(agents.map(loop));
  const stop = async () => {
    asking = false;
    return { wrong: (await all).flat(), count };
  };
  return { stop };
}

describe("apps beyond the number of backends that were kept ready", () => {
  it("make HAProxy reload, and no request of anybody fails meanwhile", async () => {
    one.register("steady.test", { port: a.port, app: "steady", private_instance_id: "steady" });
    await one.answers("steady.test", ok);
    const pid = await one.pid();
    const idle = new http.Agent({ keepAlive: true, maxSockets: 1 });
    await one.ask("steady.test", { agent: idle });
    const keepAlive = () => new http.Agent({ keepAlive: true, maxSockets: 1 });
    const load = clients("steady.test", [undefined, undefined, keepAlive(), keepAlive()]);
    const others: App[] = [];
    for (let i = 0; i < 40; i++) {
      const other = await app(`other ${i}`);
      others.push(other);
      one.register(`other${i}.test`, { port: other.port, app: `other${i}`, private_instance_id: `other${i}` });
    }
    for (const [i, { name }] of others.entries()) expect((await one.answers(`other${i}.test`, ok)).body).toBe(name);
    expect(await one.pid()).not.toBe(pid);
    // A connection that lay idle through it all is answered once more, and is told to close then.
    expect((await one.ask("steady.test", { agent: idle })).status).toBe(200);
    idle.destroy();
    const { wrong, count } = await load.stop();
    expect(wrong).toEqual([]);
    expect(count).toBeGreaterThan(50);
    for (const other of others) await other.close();
  });

  it("keep the old process in step: what is taken away there serves nobody either", async () => {
    // Each of these connections gets one more answer of the old process.
    const stay = Array.from({ length: 30 }, () => new http.Agent({ keepAlive: true, maxSockets: 1 }));
    const gone = await app("gone");
    one.register("gone.test", { port: gone.port, app: "gone" });
    await one.answers("gone.test", ok);
    for (const agent of stay) await one.ask("gone.test", { agent });
    const pid = await one.pid();
    const spare: App[] = [];
    for (let i = 0; (await one.pid()) === pid; i++) {
      const other = await app(`more ${i}`);
      spare.push(other);
      one.register(`more${i}.test`, { port: other.port, app: `more${i}` });
      await one.answers(`more${i}.test`, ok);
    }
    one.unregister("gone.test", { port: gone.port });
    await one.answers("gone.test", ({ status }) => status === 503);
    const last = () => one.ask("gone.test", { agent: stay.pop() });
    await eventually(last, ({ status }) => status === 503);
    expect(stay.length).toBeGreaterThan(0);
    expect((await last()).headers).toMatchObject({ "x-cf-routererror": "no_endpoints", connection: "close" });
    for (const agent of stay) agent.destroy();
    for (const other of [gone, ...spare]) await other.close();
  });
});

describe("a HAProxy that does not agree with what we think of it", () => {
  it("is started afresh with the table, without a failed request", async () => {
    const other = await app("other");
    const load = clients("steady.test", [undefined, undefined]);
    const pid = await one.pid();
    const enter = async () => {
      const { socket } = JSON.parse(await readFile(`${one.home}/haproxy.json`, "utf8"));
      // Right after a reload the note may still name the process that leaves.
      return await commandSocket(`${one.home}/${socket}`).catch(() => undefined);
    };
    const meddler = await eventually(enter, (socket) => socket !== undefined);
    if (!meddler) throw new Error("HAProxy cannot be reached");
    const [map = ""] = await meddler.ask(["show map hosts.map"]);
    const slot = /steady\.test (s\d+)/.exec(map)?.[1];
    expect(await meddler.ask([`add server ${slot}/second 127.0.0.1:1`])).toEqual([expect.stringMatching(/registered/)]);
    meddler.close();
    one.register("steady.test", { port: other.port, app: "steady", private_instance_id: "second" });
    await eventually(one.pid, (now) => now !== pid);
    await one.answers("steady.test", ({ body }) => body === "other");
    expect((await load.stop()).wrong).toEqual([]);
    await other.close();
  });
});
