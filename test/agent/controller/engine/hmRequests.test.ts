import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { HmRequest } from "../../../../agent/bus/messages/health.ts";
import { at } from "../../../../agent/bus/subject.ts";
import { subjects } from "../../../../agent/bus/subjects.ts";
import { revisionOf } from "../../../../agent/controller/engine/judge.ts";
import type { Process } from "../../../../agent/controller/records.ts";
import { type Controller, pushed, settled, type TestCluster, testCluster } from "../../../support/engine.ts";
import type { FakeDea } from "../../../support/fakeDea.ts";
import { until } from "../../../support/until.ts";

let cluster: TestCluster;
let dea: FakeDea;
let controller: Controller;
beforeEach(async () => {
  cluster = testCluster();
  dea = cluster.dea();
  controller = await cluster.controller();
  await settled();
});
afterEach(() => cluster.close());

const ask = (process: Process, request: Partial<HmRequest>) =>
  cluster.tool.publish(subjects.hmRequests, {
    op: "START",
    droplet: process.guid,
    last_updated: revisionOf(process),
    version: process.version,
    ...request,
  });
/** Long enough for a wrong start or stop to show. */
const aWhile = () => new Promise((resolve) => setTimeout(resolve, 100));

describe("a health manager asks for a start", () => {
  it("is obeyed when a wanted slot is missing, and flapping is passed on", async () => {
    const { process } = await pushed(controller.tables);
    ask(process, { indices: [0], flapping: true });
    await until(() => dea.starts.length === 1, { what: "the start arrives" });
    expect(dea.starts[0]?.flapping).toBe(true);
  });

  it("is obeyed on the subject with the partition too, by one of two controllers", async () => {
    const second = await cluster.controller();
    const { process } = await pushed(controller.tables);
    await until(() => second.tables.processes.get(process.guid), { what: "both know the app" });
    await settled();
    const request = {
      droplet: process.guid,
      version: process.version,
      last_updated: revisionOf(process),
      indices: [0],
    };
    cluster.tool.publish(at(subjects.hmRequestsPartition, { partition: "default" }), { op: "START", ...request });
    await aWhile();
    expect(dea.starts).toHaveLength(1);
  });

  it.each([
    ["of another version", { version: "old" }],
    ["that rests on an older state", { last_updated: 12 }],
    ["beyond the wanted number", { indices: [1] }],
    ["without a version", { version: undefined }],
    ["of an app nobody knows", { droplet: "unknown" }],
  ])("is ignored for a slot %s", async (_case, wrong: Partial<HmRequest>) => {
    const { process } = await pushed(controller.tables);
    ask(process, { indices: [0], ...wrong });
    await aWhile();
    expect(dea.starts).toEqual([]);
  });

  it("is ignored for a stopped app", async () => {
    const { process } = await pushed(controller.tables, { app: { state: "STOPPED" } });
    ask(process, { indices: [0] });
    await aWhile();
    expect(dea.starts).toEqual([]);
  });

  it("is ignored for a slot that runs after all", async () => {
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    ask(process, { indices: [0] });
    await aWhile();
    expect(dea.starts).toHaveLength(1);
  });

  it("is checked with the DEAs by a controller that has just come and knows nothing yet", async () => {
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    await controller.stop();
    const later = await cluster.controller();
    cluster.tool.publish(subjects.hmRequests, {
      ...{ op: "START", droplet: process.guid, version: process.version, indices: [0] },
      last_updated: revisionOf(process),
    });
    await until(() => later.log.length > 0 || dea.finds.length > 0, { what: "the DEAs are asked" });
    await aWhile();
    expect(dea.starts).toHaveLength(1);
  });

  it("is absorbed while a start of the slot is in flight", async () => {
    const { process } = await pushed(controller.tables);
    for (let n = 0; n < 5; n++) ask(process, { indices: [0] });
    await aWhile();
    expect(dea.starts).toHaveLength(1);
  });

  it("heals a crash without asking the DEAs again", async () => {
    const { process } = await pushed(controller.tables, { process: { instances: 2 } });
    await controller.engine.converge(process);
    const [first] = dea.living(process.guid);
    const asked = dea.finds.length;
    if (first) dea.crash(first);
    ask(process, { indices: [first?.index ?? 0] });
    await until(() => dea.living(process.guid).length === 2, { what: "both slots run" });
    expect(dea.finds.length).toBe(asked);
  });
});

describe("a health manager asks for a stop", () => {
  it("stops everything of an app nobody knows", async () => {
    const stray = dea.plant({ droplet: "deleted", version: "v", index: 0 });
    cluster.tool.publish(subjects.hmRequests, {
      op: "STOP",
      droplet: "deleted",
      last_updated: 0,
      instances: [stray.id],
    });
    await until(() => dea.living("deleted").length === 0, { what: "the stray is gone" });
  });

  it("stops instances of an old version and beyond the wanted number, and no other", async () => {
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    const [right] = dea.living(process.guid);
    const old = dea.plant({ droplet: process.guid, version: "old", index: 0 });
    const high = dea.plant({ droplet: process.guid, version: process.version, index: 7 });
    ask(process, { op: "STOP", instances: [old.id, high.id, right?.id ?? ""], last_updated: 1 });
    await until(() => dea.living(process.guid).length === 1, { what: "one is left" });
    expect(dea.living(process.guid)).toEqual([right]);
  });

  it("stops one of two in a slot only when the request rests on the present state", async () => {
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    const twin = dea.plant({ droplet: process.guid, version: process.version, index: 0 });
    ask(process, { op: "STOP", instances: [twin.id], last_updated: 1 });
    await aWhile();
    expect(dea.living(process.guid)).toHaveLength(2);
    ask(process, { op: "STOP", instances: [twin.id] });
    await until(() => dea.living(process.guid).length === 1, { what: "the twin is gone" });
  });

  it("never stops the last one of a slot, even when asked for both", async () => {
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    const twin = dea.plant({ droplet: process.guid, version: process.version, index: 0 });
    ask(process, { op: "STOP", instances: [twin.id, dea.living(process.guid)[0]?.id ?? ""] });
    await until(() => dea.living(process.guid).length === 1, { what: "one is gone" });
    await aWhile();
    expect(dea.living(process.guid)).toHaveLength(1);
  });

  it("spins an app down: stopped in the records and on the DEAs", async () => {
    const { process, app } = await pushed(controller.tables);
    await controller.engine.converge(process);
    ask(process, { op: "SPINDOWN" });
    await until(() => dea.living(process.guid).length === 0, { what: "nothing runs" });
    expect(controller.tables.apps.get(app.guid)?.state).toBe("STOPPED");
  });
});
