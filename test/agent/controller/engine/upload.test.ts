import { connect } from "node:net";
import multipart from "@fastify/multipart";
import fastify from "fastify";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { StagingRequest } from "../../../../agent/bus/messages/staging.ts";
import {
  type Controller,
  type FakeStager,
  fakeStager,
  insertBuild,
  memoryGround,
  pushed,
  type TestCluster,
  testCluster,
} from "../../../support/engine.ts";
import { until } from "../../../support/until.ts";

let cluster: TestCluster;
let controller: Controller;
let stager: FakeStager;

async function begin(room?: number): Promise<StagingRequest> {
  cluster = testCluster(memoryGround({ room }));
  controller = await cluster.controller();
  stager = fakeStager(cluster);
  const { app } = await pushed(controller.tables);
  const { build, pkg } = await insertBuild({ tables: controller.tables, blobs: cluster.blobs }, app);
  await controller.engine.stage(build, pkg, app);
  await until(() => stager.requests.length === 1, { what: "the stager has the job" });
  return stager.requests[0] as StagingRequest;
}
const droplet = () => controller.tables.droplets.all().find(({ state }) => state === "AWAITING_UPLOAD");

let request: StagingRequest;
beforeEach(async () => {
  request = await begin();
});
afterEach(() => cluster.close());

describe("the upload of a droplet", () => {
  it("without room says so, stores nothing and may be tried again", async () => {
    await cluster.close();
    request = await begin(100);
    expect(await stager.upload(request, "x".repeat(10_000))).toBe(507);
    expect(droplet()?.sha256).toBeUndefined();
    expect(cluster.blobs.used()).toBe("the bits".length);
    expect(await stager.upload(request, "small")).toBe(200);
  });

  it("that breaks off stores nothing and may be tried again", async () => {
    const { port, pathname, search } = new URL(request.upload_uri);
    const part = '--b\r\ncontent-disposition: form-data; name="upload[droplet]"; filename="d"\r\n\r\nhalf a dro';
    const socket = connect(Number(port), "127.0.0.1");
    const head = ["host: x", "content-type: multipart/form-data; boundary=b", "content-length: 100000"].join("\r\n");
    socket.write(`POST ${pathname}${search} HTTP/1.1\r\n${head}\r\n\r\n${part}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
    await until(async () => (await stager.upload(request, "whole")) === 200, { what: "another try is accepted" });
    expect(droplet()?.size).toBe(5);
    expect(cluster.blobs.used()).toBe("the bits".length + 5);
  });

  it("without its part is refused", async () => {
    const form = new FormData();
    form.append("something", new Blob(["else"]), "x");
    const answer = await fetch(request.upload_uri, { method: "POST", body: form });
    expect(answer.status).toBe(400);
    expect(await answer.text()).toContain("upload[droplet]");
  });

  it("larger than any usual body is taken in", async () => {
    expect(await stager.upload(request, "x".repeat(3_000_000))).toBe(200);
    expect(droplet()?.size).toBe(3_000_000);
  });

  it("is refused when its staging has ended", async () => {
    stager.answer(request, { error: "no" });
    await until(() => !droplet(), { what: "the staging has failed" });
    expect(await stager.upload(request, "late")).toBe(400);
  });

  it("is taken once, even when two controllers receive one at the same time", async () => {
    const second = await cluster.controller();
    const { pathname, search } = new URL(request.upload_uri);
    const there = { ...request, upload_uri: `${second.url}${pathname}${search}` };
    const both = await Promise.all([stager.upload(request, "one"), stager.upload(there, "the other")]);
    expect(both.sort()).toEqual([200, 400]);
  });

  it("works beside an API that reads multipart itself", async () => {
    const http = fastify({ forceCloseConnections: true });
    http.register(multipart);
    controller.mount(http);
    const url = await http.listen({ host: "127.0.0.1", port: 0 });
    const { pathname, search } = new URL(request.upload_uri);
    expect(await stager.upload({ ...request, upload_uri: `${url}${pathname}${search}` }, "the droplet")).toBe(200);
    await http.close();
  });
});
