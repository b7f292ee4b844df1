import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { RouterRegister } from "../../../../agent/bus/messages/router.ts";
import { at } from "../../../../agent/bus/subject.ts";
import { subjects } from "../../../../agent/bus/subjects.ts";
import { nodes } from "../../../../agent/controller/engine/nodes.ts";
import { pushed, settled, type TestCluster, testCluster } from "../../../support/engine.ts";
import { until } from "../../../support/until.ts";

let cluster: TestCluster;
let registered: RouterRegister[];
let unregistered: RouterRegister[];
beforeEach(() => {
  cluster = testCluster();
  registered = [];
  unregistered = [];
  cluster.tool.subscribe(subjects.routerRegister, (route) => void registered.push(route));
  cluster.tool.subscribe(subjects.routerUnregister, (route) => void unregistered.push(route));
});
afterEach(() => cluster.close());

describe("the controller's own route", () => {
  it("is registered at once, when a router starts, when the bus returns, and is gone at the end", async () => {
    const controller = await cluster.controller();
    const port = Number(new URL(controller.url).port);
    await until(() => registered.length === 1, { what: "it is registered" });
    expect(registered[0]).toMatchObject({
      host: "127.0.0.1",
      port,
      uris: ["api.test.example"],
      tags: { component: "CloudController" },
    });
    cluster.tool.publish(subjects.routerStart, {
      id: "r",
      hosts: [],
      minimumRegisterIntervalInSeconds: 20,
      pruneThresholdInSeconds: 120,
    });
    await until(() => registered.length === 2, { what: "it is registered again" });
    controller.bus.disconnect();
    controller.bus.reconnect();
    await until(() => registered.length === 3, { what: "it is registered after the reconnect" });
    await controller.stop();
    expect(unregistered).toHaveLength(1);
  });

  it("is repeated as often as the most demanding router wants", async () => {
    cluster.tool.subscribe(subjects.routerGreet, (_nothing, message) => {
      message.reply({ id: "r", hosts: [], minimumRegisterIntervalInSeconds: 2, pruneThresholdInSeconds: 120 });
    });
    await cluster.controller();
    await until(() => registered.length > 4, { what: "it has been repeated", timeout: 3000 });
  });
});

describe("coming to the bus", () => {
  it("asks the DEAs to show themselves, and again after the bus was away", async () => {
    let located = 0;
    cluster.tool.subscribe(subjects.deaLocate, () => void located++);
    const controller = await cluster.controller();
    await until(() => located === 1, { what: "DEAs are asked" });
    controller.bus.disconnect();
    controller.bus.reconnect();
    await until(() => located === 2, { what: "DEAs are asked again" });
  });

  it("can stop and run again", async () => {
    const dea = cluster.dea();
    const first = await cluster.controller();
    await first.stop();
    const again = await cluster.controller();
    await settled();
    const { process } = await pushed(again.tables);
    await again.engine.converge(process);
    expect(dea.living(process.guid)).toHaveLength(1);
  });
});

describe("the nodes", () => {
  const beat = (id: string) => ({ id, address: "10.0.0.1", version: "1", roles: ["dea"], components: [] });

  it("are lost after three silent beats and forgotten after an hour of them", () => {
    const seen = nodes({ beat: 1000 });
    seen.heard(beat("n"), 0);
    expect(seen.views(3000)).toMatchObject([{ id: "n", state: "UP" }]);
    expect(seen.views(3001)).toMatchObject([{ state: "LOST" }]);
    expect(seen.views(3_600_001)).toEqual([]);
  });

  it("are not lost because the bus is away", async () => {
    const controller = await cluster.controller();
    cluster.tool.publish(subjects.nodeBeat, beat("n"));
    await until(() => controller.engine.nodes().length === 1, { what: "the node is seen" });
    controller.bus.disconnect();
    await settled();
    expect(controller.engine.nodes()).toMatchObject([{ state: "UP" }]);
    controller.bus.reconnect();
    expect(controller.engine.nodes()).toMatchObject([{ state: "UP" }]);
    await until(() => controller.engine.nodes()[0]?.state === "LOST", { what: "it is lost" });
  });
});

describe("the components", () => {
  it("are those that answer, with what their /healthz really says", async () => {
    const server = createServer((request, reply) => {
      const good = request.headers.authorization === `Basic ${Buffer.from("u:p").toString("base64")}`;
      reply.writeHead(good ? 200 : 401).end("ok\n");
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const hello = { type: "DEA", index: 0, uuid: "0-a", host, start: "now", uptime: "0d:0h:0m:1s" };
    cluster.tool.subscribe(subjects.discover, (_nothing, message) => {
      message.reply({ ...hello, credentials: ["u", "p"] });
      message.reply({ ...hello, type: "Router", uuid: "0-b", credentials: ["u", "wrong"] });
      message.reply({ ...hello, type: "Stager", uuid: "0-c", host: "127.0.0.1:1", credentials: ["u", "p"] });
    });
    const controller = await cluster.controller();
    const [views, shared] = await Promise.all([controller.engine.components(), controller.engine.components()]);
    expect(views.map(({ type, healthy }) => [type, healthy])).toEqual([
      ["DEA", true],
      ["Router", false],
      ["Stager", false],
    ]);
    expect(shared).toBe(views);
    server.close();
  });
});

describe("what the engine passes on", () => {
  it("writes lines into the app's log and reads them back", async () => {
    const controller = await cluster.controller();
    controller.engine.log("app", "Updated app");
    const read = () => controller.engine.logs("app", { limit: 10, descending: false });
    await until(() => read().length === 1, { what: "the line is there" });
    expect(read()[0]).toMatchObject({ source: "API", text: "Updated app", err: false });
  });

  it("publishes the audit trail and asks the recorder for a trace", async () => {
    const trail: unknown[][] = [];
    cluster.tool.subscribe(subjects.ccEvents, (entry) => void trail.push(entry));
    const message = { at: 1, subject: "dea.discover", what: "who has room?" };
    cluster.tool.subscribe(at(subjects.trace, { app: "a" }), (_nothing, one) => one.reply({ messages: [message] }));
    const controller = await cluster.controller();
    controller.engine.audit(["now", "USER", "me", "UPDATE_APP", "hello", "SUCCEEDED"]);
    expect(await controller.engine.trace("a")).toEqual([message]);
    expect(await controller.engine.trace("unknown")).toEqual([]);
    expect(trail).toContainEqual(["now", "USER", "me", "UPDATE_APP", "hello", "SUCCEEDED"]);
  });
});
