import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { subjects } from "../../../../agent/bus/subjects.ts";
import type { Process } from "../../../../agent/controller/records.ts";
import { beat, type Controller, pushed, settled, type TestCluster, testCluster } from "../../../support/engine.ts";
import type { FakeDea } from "../../../support/fakeDea.ts";
import { until } from "../../../support/until.ts";

let cluster: TestCluster;
let dea: FakeDea;
let controller: Controller;
let process: Process;
beforeEach(async () => {
  cluster = testCluster();
  dea = cluster.dea();
  controller = await cluster.controller();
  await settled();
  ({ process } = await pushed(controller.tables, { process: { instances: 2 } }));
  await controller.engine.converge(process);
});
afterEach(() => cluster.close());

const look = async () => {
  // Answers are shared for half a beat.
  await new Promise((resolve) => setTimeout(resolve, beat));
  return await controller.engine.instances(process);
};

describe("looking at instances", () => {
  it("shows what runs in the units of the API", async () => {
    const [first] = await look();
    expect(first).toMatchObject({ index: 0, state: "RUNNING", host: "10.0.0.9", port: 61_001, uptime: 12 });
    expect(first?.usage).toEqual({ time: "now", cpu: 1.5, mem: 2_097_152, disk: 4096 });
  });

  it("answers many clients with one question", async () => {
    const before = dea.finds.length;
    await Promise.all(Array.from({ length: 20 }, () => controller.engine.instances(process)));
    expect(dea.finds.length - before).toBeLessThanOrEqual(1);
  });

  it("shows a crashed slot with its reason", async () => {
    const [first] = dea.living(process.guid);
    if (first) dea.crash(first, { status: 137, description: "out of memory" });
    const views = await look();
    expect(views.find(({ index }) => index === first?.index)).toMatchObject({
      state: "CRASHED",
      instance: first?.id,
      details: "exit status 137: out of memory",
    });
    expect(views.filter(({ state }) => state === "RUNNING")).toHaveLength(1);
  });

  it("knows why a slot crashed before this controller came", async () => {
    const [first] = dea.living(process.guid);
    if (first) dea.crash(first, { status: 3, description: "app instance exited" });
    const later = await cluster.controller();
    await settled();
    const views = await later.engine.instances(process);
    expect(views.find(({ index }) => index === first?.index)?.details).toBe("exit status 3: app instance exited");
  });

  it("asks the health manager about slots that are missing", async () => {
    cluster.tool.subscribe(subjects.healthmanagerStatus, ({ state }, message) => {
      if (state === "FLAPPING") message.reply({ indices: [{ index: 1, since: 77 }] });
    });
    dea.held.splice(0);
    dea.advertise();
    const views = await look();
    expect(views.map(({ state }) => state)).toEqual(["DOWN", "CRASHED"]);
    expect(views[1]?.since).toBe(77);
  });

  it("forgets a crash when the slot runs again", async () => {
    const [first] = dea.living(process.guid);
    if (first) dea.crash(first);
    await controller.engine.converge(process);
    const views = await look();
    expect(views.map(({ state, details }) => [state, details])).toEqual([
      ["RUNNING", undefined],
      ["RUNNING", undefined],
    ]);
  });

  it("says that the bus is away instead of showing everything as down", async () => {
    controller.bus.disconnect();
    await expect(look()).rejects.toMatchObject({ code: "bus_away" });
  });

  it("shows all slots of a stopped app as down and asks nobody", async () => {
    await controller.tables.apps.update(process.app, (app) => ({ ...app, state: "STOPPED" }));
    const before = dea.finds.length;
    expect((await look()).map(({ state }) => state)).toEqual(["DOWN", "DOWN"]);
    expect(dea.finds.length).toBe(before);
  });
});

describe("looking at instances while something changes", () => {
  // Answers would be shared for half of it, and silence waited for twice as long.
  const slow = 4_000;
  let other: Controller;
  let young: Process;
  beforeEach(async () => {
    other = await cluster.controller({ beat: slow });
    // An app that is younger than a controller is one of which it has missed nothing.
    await new Promise((resolve) => setTimeout(resolve, 5));
    ({ process: young } = await pushed(controller.tables, { process: { instances: 2 } }));
    await until(() => other.tables.processes.get(young.guid), { what: "the other knows the app" });
  });
  const starts = async () => {
    await controller.engine.converge(young);
    await becomes("RUNNING,RUNNING");
  };
  const becomes = (states: string) =>
    until(async () => (await seen()).toSorted().join() === states, { what: `${states} is seen` });
  const seen = async () => {
    const now = other.tables.processes.get(young.guid) ?? young;
    return (await other.engine.instances(now)).map(({ state }) => state);
  };
  const nothingFlaps = () =>
    cluster.tool.subscribe(subjects.healthmanagerStatus, ({ state }, message) =>
      message.reply(state === "FLAPPING" ? { indices: [] } : { instances: [] }),
    );
  /** What is done takes less time than anything that is only waited for. */
  const atOnce = async (what: () => Promise<void>) => {
    const began = performance.now();
    await what();
    expect(performance.now() - began).toBeLessThan(slow / 2);
  };

  it("shows a crash, and the next instance when it has come up", async () => {
    nothingFlaps();
    await starts();
    await atOnce(async () => {
      const [first] = dea.living(young.guid);
      if (!first) throw new Error("nothing runs");
      dea.crash(first);
      await becomes("CRASHED,RUNNING");
      dea.run(dea.plant({ droplet: young.guid, version: young.version, index: first.index }, "STARTING"));
      await becomes("RUNNING,RUNNING");
    });
  });

  it("shows that the app was stopped", async () => {
    nothingFlaps();
    await starts();
    await atOnce(async () => {
      await controller.tables.apps.update(young.app, (app) => ({ ...app, state: "STOPPED" }));
      await becomes("DOWN,DOWN");
    });
  });

  it("asks once for many clients between two changes", async () => {
    await starts();
    const before = dea.finds.length;
    for (let turn = 0; turn < 20; turn++) await seen();
    // The adverts of this DEA come faster than the beat of that controller.
    expect(dea.finds.length - before).toBeLessThan(5);
  });

  it("does not make a client wait for silence when the slots run meanwhile", async () => {
    await atOnce(async () => {
      const looking = seen();
      await until(() => dea.finds.some(({ states }) => states?.join() === "CRASHED"), { what: "it is asked why" });
      for (const index of [0, 1]) dea.plant({ droplet: young.guid, version: young.version, index });
      expect(await looking).toEqual(["RUNNING", "RUNNING"]);
    });
  });

  it("believes the health manager that nothing has crashed, although no DEA says so", async () => {
    nothingFlaps();
    await atOnce(() => becomes("DOWN,DOWN"));
  });
});

describe("looking at a stopped app", () => {
  it("asks the health manager how its last instance ended", async () => {
    const [first] = dea.living(process.guid);
    if (!first) throw new Error("nothing runs");
    dea.crash(first, { status: 3, description: "app instance exited" });
    const asked: string[] = [];
    cluster.tool.subscribe(subjects.healthmanagerStatus, ({ state }, message) => {
      asked.push(state);
      message.reply({ instances: [{ instance: first.id, since: 5 }] });
    });
    await controller.tables.apps.update(process.app, (app) => ({ ...app, state: "STOPPED" }));
    const views = await controller.engine.instances(process);
    expect(asked).toEqual(["CRASHED"]);
    const details = "exit status 3: app instance exited";
    expect(views[first.index]).toMatchObject({ state: "DOWN", instance: first.id, details });
  });
});

describe("a crash", () => {
  it("is written once into the audit events and the app's log, although two controllers hear it", async () => {
    const second = await cluster.controller();
    await until(() => second.tables.processes.get(process.guid), { what: "both know the app" });
    const lines: string[] = [];
    cluster.tool.subscribe(subjects.log, (said) => void lines.push(...said.lines.map(({ text }) => text)));
    const [first] = dea.living(process.guid);
    if (first) dea.crash(first, { status: 1, description: "app instance exited" });
    await until(() => second.tables.events.all().length > 0, { what: "the event is there" });
    await look();
    expect(second.tables.events.all().map(({ type }) => type)).toEqual(["app.crash"]);
    expect(lines.filter((text) => text.includes("crashed: exit status 1: app instance exited"))).toHaveLength(1);
  });

  it("of an older version is no news", async () => {
    const old = dea.plant({ droplet: process.guid, version: "old", index: 0 });
    dea.crash(old);
    await look();
    expect(controller.tables.events.all()).toEqual([]);
  });
});

describe("the running counts of many processes", () => {
  it("come from the health manager in one question", async () => {
    cluster.tool.subscribe(subjects.healthmanagerHealth, ({ droplets }, message) => {
      for (const one of droplets) message.reply({ ...one, healthy: 2 });
    });
    expect(await controller.running([process])).toEqual(new Map([[process.guid, 2]]));
    expect(await controller.running([])).toEqual(new Map());
  });
});
