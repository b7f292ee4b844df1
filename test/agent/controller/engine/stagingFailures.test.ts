import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { at } from "../../../../agent/bus/subject.ts";
import { subjects } from "../../../../agent/bus/subjects.ts";
import { cameLater } from "../../../../agent/controller/engine/stagersFor.ts";
import type { App, Build, Droplet } from "../../../../agent/controller/records.ts";
import {
  beat,
  becomes,
  type Controller,
  fakeStager,
  insertBuild,
  insertDroplet,
  pushed,
  type TestCluster,
  testCluster,
} from "../../../support/engine.ts";

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

describe("a staging that fails", () => {
  it("shows the class, the details and the last lines, and leaves the app's droplet alone", async () => {
    fakeStager(cluster, (request, self) =>
      self.answer(request, {
        error: JSON.stringify({ class: "VCAP::Stager::StagingPluginError", details: "npm ci ended with 1" }),
        task_log: "one\ntwo\nnpm error missing: left-pad\n",
      }),
    );
    const { ends, droplet } = await built();
    const { state, error } = await ends();
    expect(state).toBe("FAILED");
    expect(error).toContain("StagerFail/StagingPluginError: npm ci ended with 1");
    expect(error).toContain("npm error missing: left-pad");
    expect(droplet()?.state).toBe("FAILED");
    expect(controller.tables.apps.get(app.guid)?.droplet).toBe(app.droplet);
  });

  it("is no success when no droplet came, or another one than the stager made", async () => {
    fakeStager(cluster, async (request, self) => {
      if (self.requests.length === 2) await self.upload(request, "the droplet");
      self.answer(request, { droplet_sha1: "0".repeat(40) });
    });
    expect((await (await built()).ends()).error).toContain("sent no droplet");
    expect((await (await built()).ends()).error).toContain("not the one the stager made");
  });

  it("says that no stager took the job", async () => {
    const { ends } = await built();
    expect((await ends()).error).toContain("no stager took the job");
  });

  it("waits for a stager that is busy with other jobs", async () => {
    const stager = fakeStager(cluster);
    const { build } = await built();
    await new Promise((resolve) => setTimeout(resolve, 60 * beat));
    expect(controller.tables.builds.get(build.guid)?.state).toBe("STAGING");
    const [request] = stager.requests;
    if (request) stager.answer(request, { error: "at last" });
    await becomes(
      () => controller.tables.builds.get(build.guid),
      ({ state }) => state === "FAILED",
      "it has ended",
    );
  });

  it("notices that the stager which had the job is gone", async () => {
    const stager = fakeStager(cluster, ({ app_id }) => {
      const lines = [{ at: Date.now(), text: "downloading" }];
      cluster.tool.publish(at(subjects.log, { app: app_id }), { app: app_id, source: "STG", instance: "", lines });
    });
    const { ends } = await built();
    await new Promise((resolve) => setTimeout(resolve, 20 * beat));
    stager.leave();
    fakeStager(cluster);
    expect((await ends()).error).toContain("the stager that had the job is gone");
  });
});

describe("a staging that was torn off by a kill", () => {
  /** A build as a controller that was killed left it `ago` milliseconds ago. */
  const torn = async (ago: number, more: Partial<Build> = {}) => {
    const { build, pkg } = await insertBuild({ tables: controller.tables, blobs: cluster.blobs }, app);
    const created_at = new Date(Date.now() - ago).toISOString();
    const left = await controller.tables.builds.update(build.guid, (one) => ({ ...one, created_at, ...more }));
    await controller.stop();
    controller = await cluster.controller();
    const ends = () =>
      becomes(
        () => controller.tables.builds.get(build.guid),
        ({ state }) => state !== "STAGING",
        "the build has ended",
      );
    return { left, pkg, ends };
  };
  const droplet = (state: Droplet["state"]) =>
    insertDroplet(controller.tables, app.guid).then(({ guid }) =>
      controller.tables.droplets.update(guid, (one) => ({ ...one, state, process_types: { web: "a", worker: "b" } })),
    );

  it("ends soon when the stager came later than the job: it has never heard of it", async () => {
    const { guid } = await droplet("AWAITING_UPLOAD");
    const stager = fakeStager(cluster, undefined, "0d:0h:0m:1s");
    const { ends } = await torn(8_000, { droplet: guid });
    expect((await ends()).error).toContain("the stager that had the job is gone; push again");
    expect(stager.requests).toEqual([]);
  });

  it("waits for a stager that was there before it", async () => {
    const { guid } = await droplet("AWAITING_UPLOAD");
    fakeStager(cluster, undefined, "0d:0h:0m:9s");
    const { left } = await torn(8_000, { droplet: guid });
    await new Promise((resolve) => setTimeout(resolve, 2_500));
    expect(controller.tables.builds.get(left.guid)?.state).toBe("STAGING");
  });

  it("ends when the controller went before it asked a stager", async () => {
    expect((await (await torn(8_000)).ends()).error).toContain("push again");
  });

  it("is brought to its end, with its processes, when the controller went in the middle of writing that down", async () => {
    const { guid } = await droplet("STAGED");
    const { ends } = await torn(2_000, { droplet: guid });
    expect((await ends()).state).toBe("STAGED");
    const types = controller.tables.processes.all().filter((one) => one.app === app.guid);
    expect(types.map(({ type }) => type).sort()).toEqual(["web", "worker"]);
  });
});

describe("whether a stager came later than a job", () => {
  it.each([
    ["0d:0h:0m:1s", 4_000, true],
    ["0d:0h:0m:3s", 4_000, false],
    ["1d:2h:3m:4s", 93_787_000, true],
    ["1d:2h:3m:4s", 93_785_000, false],
    [undefined, 93_785_000, false],
    ["a while", 93_785_000, false],
  ])("up for %s, job begun %i ms ago: %s", (uptime, ago, later) => {
    expect(cameLater(uptime, ago)).toBe(later);
  });
});
