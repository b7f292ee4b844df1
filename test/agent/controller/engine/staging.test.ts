import { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { subjects } from "../../../../agent/bus/subjects.ts";
import type { App } from "../../../../agent/controller/records.ts";
import {
  beat,
  becomes,
  type Controller,
  fakeStager,
  insertBuild,
  pushed,
  type TestCluster,
  testCluster,
} from "../../../support/engine.ts";
import { until } from "../../../support/until.ts";

let cluster: TestCluster;
let controller: Controller;
let app: App;
beforeEach(async () => {
  cluster = testCluster();
  controller = await cluster.controller();
  ({ app } = await pushed(controller.tables));
});
afterEach(() => cluster.close());

const built = async (more: Partial<Controller> = {}) => {
  const { tables, engine } = { ...controller, ...more };
  const { build, pkg } = await insertBuild({ tables, blobs: cluster.blobs }, app);
  await engine.stage(build, pkg, app);
  const read = () => controller.tables.builds.get(build.guid);
  return {
    build,
    ends: () => becomes(read, ({ state }) => state !== "STAGING", "the build has ended"),
    droplet: () => controller.tables.droplets.get(read()?.droplet ?? ""),
  };
};

describe("a staging that works", () => {
  it("hands over the bits, takes in the droplet and writes what was detected", async () => {
    let bits = "";
    fakeStager(cluster, async (request, self) => {
      bits = await (await fetch(request.download_uri)).text();
      expect(await self.upload(request, "the droplet")).toBe(200);
      self.answer(request, {
        detected_buildpack: "nodejs",
        detected_start_command: "npm start",
        procfile: { worker: "node worker.js" },
      });
    });
    const { ends, droplet } = await built();
    expect((await ends()).state).toBe("STAGED");
    expect(bits).toBe("the bits");
    expect(droplet()).toMatchObject({
      state: "STAGED",
      size: 11,
      detected_framework: "nodejs",
      process_types: { web: "npm start", worker: "node worker.js" },
    });
    const sha256 = droplet()?.sha256 ?? "";
    expect(await text((await cluster.blobs.get(sha256)) ?? Readable.from([]))).toBe("the droplet");
    const worker = controller.tables.processes.all().find(({ type }) => type === "worker");
    expect(worker).toMatchObject({ app: app.guid, instances: 0, health_check: { type: "process" } });
  });

  it("asks in the form of every generation of stager", async () => {
    const stager = fakeStager(cluster);
    await controller.tables.apps.update(app.guid, (one) => ({ ...one, buildpacks: ["python"] }));
    app = controller.tables.apps.get(app.guid) ?? app;
    const { build } = await built();
    await until(() => stager.requests.length === 1, { what: "the stager has the job" });
    expect(stager.requests[0]).toMatchObject({
      app_id: app.guid,
      notify_subj: `cc.staging.${build.guid.replaceAll("-", "")}`,
      properties: { framework: "python", environment: ["GREETING=hi there"], resources: { mem: 256, disk: 512 } },
    });
  });

  it("counts one answer only", async () => {
    fakeStager(cluster, async (request, self) => {
      await self.upload(request, "the droplet");
      self.answer(request, { detected_start_command: "first" });
      self.answer(request, { detected_start_command: "second" });
      self.answer(request, { error: "third" });
    });
    const { ends, droplet } = await built();
    expect((await ends()).state).toBe("STAGED");
    await new Promise((resolve) => setTimeout(resolve, 5 * beat));
    expect(droplet()?.process_types).toEqual({ web: "first" });
  });

  it("is written down by one of two controllers that both hear the answer", async () => {
    const outcomes: unknown[] = [];
    cluster.tool.subscribe(subjects.ccEvents, ([, , action, , outcome]) => {
      if (action === "STAGE_APP" && outcome !== "STARTED") outcomes.push(outcome);
    });
    const stager = fakeStager(cluster);
    const { ends } = await built();
    await until(() => stager.requests.length === 1, { what: "the stager has the job" });
    const second = await cluster.controller();
    const [request] = stager.requests;
    if (request) expect(await stager.upload(request, "the droplet")).toBe(200);
    if (request) stager.answer(request, { detected_start_command: "npm start", procfile: { worker: "work" } });
    expect((await ends()).state).toBe("STAGED");
    await new Promise((resolve) => setTimeout(resolve, 5 * beat));
    expect(outcomes).toEqual(["SUCCEEDED"]);
    expect(second.tables.processes.all().filter(({ type }) => type === "worker")).toHaveLength(1);
  });

  it("ends well when the answer is lost but the droplet is there", async () => {
    fakeStager(cluster, (request, self) => self.upload(request, "the droplet"));
    const { ends, droplet } = await built();
    expect((await ends()).state).toBe("STAGED");
    expect(droplet()?.state).toBe("STAGED");
  });
});

describe("a controller that stops in the middle of a staging", () => {
  it("hears the answer after it came back", async () => {
    const stager = fakeStager(cluster);
    const { build } = await built();
    await until(() => stager.requests.length === 1, { what: "the stager has the job" });
    await controller.stop();
    controller = await cluster.controller();
    const [request] = stager.requests;
    const there = request && {
      ...request,
      upload_uri: `${controller.url}${new URL(request.upload_uri).pathname}${new URL(request.upload_uri).search}`,
    };
    if (there) expect(await stager.upload(there, "the droplet")).toBe(200);
    if (request) stager.answer(request, { detected_start_command: "npm start" });
    const ended = await becomes(
      () => controller.tables.builds.get(build.guid),
      ({ state }) => state !== "STAGING",
      "it ended",
    );
    expect(ended.state).toBe("STAGED");
  });

  it("gives up builds that are older than any staging may be", async () => {
    const { build } = await insertBuild({ tables: controller.tables, blobs: cluster.blobs }, app);
    await controller.tables.builds.update(build.guid, (one) => ({ ...one, created_at: "2020-01-01T00:00:00Z" }));
    await controller.stop();
    controller = await cluster.controller();
    const ended = await becomes(
      () => controller.tables.builds.get(build.guid),
      ({ state }) => state !== "STAGING",
      "it ended",
    );
    expect(ended.error).toContain("push again");
  });
});

describe("the addresses handed out for staging", () => {
  it("take a droplet once", async () => {
    const stager = fakeStager(cluster);
    await built();
    await until(() => stager.requests.length === 1, { what: "the stager has the job" });
    const [request] = stager.requests;
    if (!request) return;
    expect(await stager.upload(request, "the droplet")).toBe(200);
    expect(await stager.upload(request, "another")).toBe(400);
  });

  it("are worthless when changed, expired or unsigned", async () => {
    const stager = fakeStager(cluster);
    await built();
    await until(() => stager.requests.length === 1, { what: "the stager has the job" });
    const address = new URL(stager.requests[0]?.download_uri ?? "");
    const status = async (change: (url: URL) => void) => {
      const url = new URL(address);
      change(url);
      return (await fetch(url)).status;
    };
    expect(await status(() => {})).toBe(200);
    expect(await status((url) => url.searchParams.set("expires", "99999999999"))).toBe(403);
    expect(await status((url) => url.searchParams.set("signature", "00"))).toBe(403);
    expect(await status((url) => url.searchParams.delete("signature"))).toBe(403);
    expect(await status((url) => (url.pathname = "/staging/app/another"))).toBe(403);
  });

  it("give a DEA the droplet with its length", async () => {
    const dea = cluster.dea();
    const stager = fakeStager(cluster, async (request, self) => {
      await self.upload(request, "the droplet");
      self.answer(request, {});
    });
    const { ends, droplet } = await built();
    await ends();
    expect(stager.requests).toHaveLength(1);
    await controller.tables.apps.update(app.guid, (one) => ({ ...one, droplet: droplet()?.guid }));
    const process = controller.tables.processes.get(app.guid);
    if (process) await controller.engine.converge(process);
    const answer = await fetch(dea.starts[0]?.executableUri ?? "");
    expect(answer.headers.get("content-length")).toBe("11");
    expect(await answer.text()).toBe("the droplet");
  });
});
