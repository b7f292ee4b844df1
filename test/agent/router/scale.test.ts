import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type Answer, type App, app, eventually, shout, type TestRouter, testRouter } from "../../support/router.ts";

let a: App;
let one: TestRouter;
beforeAll(async () => {
  a = await app("a");
  one = await testRouter({ beat: 100, spareSlots: 64 });
});
afterAll(async () => {
  await one.stop();
  await a.close();
});

const ok = ({ status }: Answer) => status === 200;
const names = (from: number, n: number) => Array.from({ length: n }, (_, i) => `n${from + i}.many.test`);

describe("ten thousand routes", () => {
  it("of one app are all served, in one backend, and a new one beside them at once", async () => {
    const pid = await one.pid();
    for (let i = 0; i < 10_000; i += 500)
      one.register(names(i, 500), { port: a.port, app: "many", private_instance_id: "many" });
    await one.answers("n9999.many.test", ok);
    for (let i = 0; i < 10_000; i += 997) expect((await one.ask(`n${i}.many.test`)).status).toBe(200);
    expect(await one.pid()).toBe(pid);
    const took: number[] = [];
    for (let i = 0; i < 20; i++) {
      const began = performance.now();
      one.register(`new${i}.test`, { port: a.port, app: "many", private_instance_id: "many" });
      await one.answers(`new${i}.test`, ok);
      took.push(performance.now() - began);
    }
    // The figure is the benchmark's; here only: nobody waits for a turn of something slow.
    expect(took.sort((x, y) => x - y)[10]).toBeLessThan(100);
  });

  it("survive HAProxy all together", async () => {
    const pid = await one.pid();
    process.kill(pid, "SIGKILL");
    await eventually(one.pid, (now) => now !== pid);
    for (let i = 0; i < 10_000; i += 1111) expect((await one.answers(`n${i}.many.test`, () => true)).status).toBe(200);
  });

  it("go as they came when they are unregistered", async () => {
    for (let i = 0; i < 10_000; i += 500) one.unregister(names(i, 500), { port: a.port });
    await one.answers("n9999.many.test", ({ status }) => status === 503);
    await one.answers("n0.many.test", ({ status }) => status === 404);
    expect((await one.ask("new0.test")).status).toBe(200);
  });
});

describe("a message that is wrong", () => {
  it.each([
    ["no JSON object", [1, 2]],
    ["a number where a text must be", { host: "127.0.0.1", port: 1, uris: ["a.test"], app: 42 }],
    ["a port that is none", { host: "127.0.0.1", port: 70_000, uris: ["a.test"] }],
    ["no host", { port: 80, uris: ["a.test"] }],
    ["uris that are no list", { host: "127.0.0.1", port: 80, uris: "a.test" }],
    ["an address that is a command", { host: "127.0.0.1;shutdown", port: 80, uris: ["a.test"] }],
  ])("because of %s is dropped, and the next one is heard", async (_what, payload) => {
    shout(one.peer, "router.register", payload);
    const name = `after${Math.random()}.test`;
    one.register(name, { port: a.port, app: "many", private_instance_id: "many" });
    await one.answers(name, ok);
    expect((await one.ask("a.test")).status).toBe(404);
  });

  it("because of names that are commands to HAProxy leaves HAProxy as it was", async () => {
    const pid = await one.pid();
    const evil = [
      "x.test s1; shutdown frontend public",
      "x.test\ndisable frontend public",
      "x.test\n\nshutdown frontend public",
      'x.test" "y',
      "<<",
      "x.test\\ y",
      "%[env(PATH)].test",
      "good.test",
    ];
    one.register(evil, { port: a.port, app: "many", private_instance_id: "many" });
    one.register("bad.test", { port: a.port, app: "x y;z", private_instance_id: "many" });
    one.register("bad.test", { port: a.port, app: "many", private_instance_id: "a; disable frontend public" });
    await one.answers("good.test", ok);
    expect((await one.ask("bad.test")).status).toBe(404);
    expect((await one.ask("x.test")).status).toBe(404);
    expect(await one.pid()).toBe(pid);
  });
});
