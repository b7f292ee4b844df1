import http from "node:http";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { type App, app, type TestRouter, testRouter } from "../../support/router.ts";

let one: TestRouter;
const apps: App[] = [];
const serve = async (...args: Parameters<typeof app>) => {
  const made = await app(...args);
  apps.push(made);
  return made;
};
beforeAll(async () => {
  one = await testRouter();
});
afterEach(async () => {
  for (const made of apps.splice(0)) await made.close();
});
afterAll(() => one.stop());

describe("an app that registers", () => {
  it("is reached by its name, whatever the letter case and the port in the Host header", async () => {
    const a = await serve("a");
    one.register("Hello.Example.test", { port: a.port, app: "guid-a" });
    const answer = await one.answers("hello.example.test:8080", ({ status }) => status === 200);
    expect(answer.body).toBe("a");
    expect((await one.ask("HELLO.example.TEST")).body).toBe("a");
  });
});
