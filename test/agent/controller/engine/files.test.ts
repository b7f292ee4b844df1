import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { DeaFound } from "../../../../agent/bus/messages/instance.ts";
import { subjects } from "../../../../agent/bus/subjects.ts";
import { type Controller, type Pushed, pushed, type TestCluster, testCluster } from "../../../support/engine.ts";

let cluster: TestCluster;
let controller: Controller;
let server: Server;
let app: Pushed;
let held: DeaFound[];
let asked: { url?: string | undefined; authorization?: string | undefined; range?: string | undefined }[];

beforeEach(async () => {
  cluster = testCluster();
  controller = await cluster.controller();
  app = await pushed(controller.tables);
  asked = [];
  server = createServer(({ url, headers }, reply) => {
    asked.push({ url, authorization: headers.authorization, range: headers.range });
    reply.writeHead(headers.range ? 206 : 200, { "content-type": "text/plain", "x-secret": "no" }).end("the file");
  }).listen(0, "127.0.0.1");
  await new Promise((resolve) => server.once("listening", resolve));
  const file_uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/droplets/`;
  const { guid: droplet, version } = app.process;
  const found = { dea: "d", droplet, version, file_uri, credentials: ["u", "p"] as [string, string] };
  cluster.tool.publish(subjects.deaAdvertise, {
    ...{ id: "d", available_memory: 0, runtimes: [], stacks: [], prod: false },
    ...{ app_id_to_count: { [droplet]: 1 }, placement_properties: { zone: "default" } },
  });
  await cluster.tool.flush();
  held = [
    { ...found, instance: "crash", index: 0, state: "CRASHED", state_timestamp: 9, staged: "x-0-crash" },
    { ...found, instance: "alive", index: 0, state: "RUNNING", state_timestamp: 5, staged: "/x-0-alive" },
  ];
  cluster.tool.subscribe(subjects.deaFindDroplet, ({ states }, message) => {
    for (const one of held) if (states?.includes(one.state)) message.reply(one);
  });
});
afterEach(async () => {
  server.close();
  await cluster.close();
});

describe("the files of an instance", () => {
  it("come from the living instance of a slot, with the credentials of its DEA", async () => {
    const answer = await controller.files(app.process, { instance: "0", path: "app/a b.txt", range: "bytes=1-" });
    expect(answer?.status).toBe(206);
    expect(answer && (await text(answer.body))).toBe("the file");
    expect(answer?.headers["x-secret"]).toBeUndefined();
    expect(asked).toEqual([
      {
        url: "/droplets/x-0-alive/app/a%20b.txt",
        authorization: `Basic ${Buffer.from("u:p").toString("base64")}`,
        range: "bytes=1-",
      },
    ]);
  });

  it("come from the crashed one when nothing lives there, or when it is named", async () => {
    await controller.files(app.process, { instance: "crash", path: "logs/stderr.log" });
    held.pop();
    await controller.files(app.process, { instance: "0", path: "" });
    expect(asked.map(({ url }) => url)).toEqual(["/droplets/x-0-crash/logs/stderr.log", "/droplets/x-0-crash"]);
  });

  it("cannot be left upwards into another instance's", async () => {
    const answer = await controller.files(app.process, { instance: "0", path: "app/../../other/secret" });
    expect(answer?.status).toBe(403);
    expect(asked).toEqual([]);
  });

  it("are none where no instance is", async () => {
    expect(await controller.files(app.process, { instance: "7", path: "" })).toBeUndefined();
    expect(await controller.files(app.process, { instance: "unknown", path: "" })).toBeUndefined();
  });
});
