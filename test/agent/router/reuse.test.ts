import http from "node:http";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type App, app, type TestRouter, testRouter } from "../../support/router.ts";

let one: App;
let router: TestRouter;
beforeAll(async () => {
  one = await app("one");
  router = await testRouter();
});
afterAll(async () => {
  await router.stop();
  await one.close();
});

it("an instance that was added while HAProxy runs keeps its connections for the next requests", async () => {
  let connections = 0;
  one.server.on("connection", () => connections++);
  router.register("kept.test", { port: one.port, app: "kept", private_instance_id: "kept-0" });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  await router.answers("kept.test", ({ status }) => status === 200, { agent });
  const before = connections;
  for (let i = 0; i < 30; i++) await router.ask("kept.test", { agent });
  agent.destroy();
  expect(connections - before).toBeLessThan(5);
});
