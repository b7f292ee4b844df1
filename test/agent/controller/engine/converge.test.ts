import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { subjects } from "../../../../agent/bus/subjects.ts";
import { type Controller, pushed, settled, type TestCluster, testCluster } from "../../../support/engine.ts";
import { until } from "../../../support/until.ts";

let cluster: TestCluster;
let controller: Controller;
beforeEach(async () => {
  cluster = testCluster();
});
afterEach(() => cluster.close());

describe("starting what a process wants", () => {
  it("starts every slot once, spread over the DEAs, with the complete message", async () => {
    const [one, other] = [cluster.dea(), cluster.dea()];
    controller = await cluster.controller();
    await settled();
    const { process, app } = await pushed(controller.tables, { process: { instances: 4 } });
    await controller.engine.converge(process);
    expect([one.living(process.guid).length, other.living(process.guid).length]).toEqual([2, 2]);
    expect([...one.starts, ...other.starts].map(({ index }) => index).sort()).toEqual([0, 1, 2, 3]);
    expect(one.starts[0]).toMatchObject({
      droplet: process.guid,
      version: process.version,
      uris: [`${app.name}.apps.example`],
      executableFile: "deprecated",
      env: ["GREETING=hi there"],
      start_command: "node app.js",
      limits: { mem: 128, disk: 64 },
      vcap_application: { application_id: app.guid, process_type: "web", space_name: "dev", organization_name: "acme" },
    });
  });

  it("asks nobody what runs when no DEA has advertised an instance", async () => {
    const dea = cluster.dea();
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    expect([dea.finds.length, dea.starts.length]).toEqual([0, 1]);
  });

  it("does nothing for an app that has no droplet yet", async () => {
    const dea = cluster.dea();
    controller = await cluster.controller();
    const { process } = await pushed(controller.tables, { app: { droplet: undefined } });
    await controller.engine.converge(process);
    expect(dea.starts).toEqual([]);
  });

  it("tells the health manager of each change", async () => {
    const told: string[] = [];
    cluster.tool.subscribe(subjects.dropletUpdated, ({ droplet }) => void told.push(droplet));
    controller = await cluster.controller();
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    expect(told).toContain(process.guid);
  });

  it("starts each slot once although it is asked several times at once", async () => {
    const dea = cluster.dea();
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables, { process: { instances: 3 } });
    await Promise.all(Array.from({ length: 5 }, () => controller.engine.converge(process)));
    expect(dea.starts.length).toBe(3);
  });

  it("starts hundreds of instances of one app without asking again for each", async () => {
    const asked: unknown[] = [];
    cluster.tool.subscribe(subjects.deaDiscover, (question) => void asked.push(question));
    for (let n = 0; n < 5; n++) cluster.dea({ memory: 20_000, disk: 100_000 });
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables, { process: { instances: 300 } });
    await controller.engine.converge(process);
    expect(await controller.engine.instances(process)).toHaveLength(300);
    expect((await controller.engine.instances(process)).every(({ state }) => state === "RUNNING")).toBe(true);
    expect(asked).toHaveLength(1);
  });
});

describe("when DEAs do not play along", () => {
  it("goes to the next one when a DEA refuses", async () => {
    const mean = cluster.dea({ memory: 8192, onStart: () => ({ reason: "fs_full" }) });
    const good = cluster.dea();
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables, { process: { instances: 2 } });
    await controller.engine.converge(process);
    expect(mean.starts.length).toBeGreaterThan(0);
    expect(
      good
        .living(process.guid)
        .map(({ index }) => index)
        .sort(),
    ).toEqual([0, 1]);
  });

  it("goes to the next one when the start was lost on the way", async () => {
    const deaf = cluster.dea({ onStart: () => "silent" });
    const good = cluster.dea();
    good.plant({ droplet: "another app", version: "v", index: 0 });
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    expect(deaf.starts).toHaveLength(1);
    expect(good.living(process.guid)).toHaveLength(1);
  });

  it("does not start a slot twice when only the answer was lost", async () => {
    const deas = [1, 2].map(() => cluster.dea({ onStart: () => "lose answer" }));
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    expect(deas.flatMap((dea) => dea.living(process.guid))).toHaveLength(1);
  });

  it("trusts the silence of a DEA that never answers starts", async () => {
    const old = cluster.dea({ ack: false, terse: true });
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    expect(old.starts).toHaveLength(1);
    expect(old.living(process.guid)).toHaveLength(1);
  });

  it("does not try another DEA when one that never answers starts is slow to show the instance", async () => {
    const old = cluster.dea({ ack: false, memory: 8192, onStart: () => "silent" });
    const other = cluster.dea();
    other.plant({ droplet: "another app", version: "v", index: 0 });
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    expect([old.starts.length, other.starts.length]).toEqual([1, 0]);
  });

  it("says how much room is missing, once, and shows it in the instances", async () => {
    const said: string[] = [];
    cluster.tool.subscribe(subjects.log, ({ lines }) => void said.push(...lines.map(({ text }) => text)));
    cluster.dea({ memory: 128 });
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables, { process: { memory_in_mb: 512 } });
    await controller.engine.converge(process);
    await controller.engine.converge(process);
    const [view] = await controller.engine.instances(process);
    expect(view).toMatchObject({ state: "DOWN", details: "no DEA has 512 MiB free: the largest has 128 MiB" });
    expect(said.filter((text) => text.includes("has no place"))).toHaveLength(1);
  });

  it("says so when there is no DEA at all", async () => {
    controller = await cluster.controller();
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    const [view] = await controller.engine.instances(process);
    expect(view?.details).toContain("no DEA has answered");
  });

  it("forgets a DEA that says goodbye and one that is silent for ten beats", async () => {
    const [leaving, dying] = [cluster.dea(), cluster.dea()];
    controller = await cluster.controller();
    await settled();
    cluster.tool.publish(subjects.deaShutdown, { id: leaving.id, ip: "", version: "1", app_id_to_count: {} });
    dying.leave();
    leaving.leave();
    const { process } = await pushed(controller.tables);
    await until(
      async () => {
        await controller.engine.converge(process);
        return (await controller.engine.instances(process))[0]?.details?.includes("no DEA has answered");
      },
      { what: "both are forgotten" },
    );
  });
});

describe("two controllers", () => {
  it("that place at the same time leave the last word to the DEAs", async () => {
    const deas = [cluster.dea({ memory: 256 }), cluster.dea({ memory: 256 })];
    controller = await cluster.controller();
    const second = await cluster.controller();
    await settled();
    const one = await pushed(controller.tables, { process: { instances: 2 } });
    const other = await pushed(controller.tables, { process: { instances: 2 } });
    await until(() => second.tables.processes.get(other.process.guid), { what: "both know the apps" });
    await until(() => second.tables.routes.all().length === 2, { what: "both know the routes" });
    await Promise.all([controller.engine.converge(one.process), second.engine.converge(other.process)]);
    const held = deas.map((dea) => dea.held.length);
    expect(held).toEqual([2, 2]);
  });
});

describe("while the bus is away", () => {
  it("nothing is started or stopped", async () => {
    const dea = cluster.dea();
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables);
    controller.bus.disconnect();
    await controller.engine.converge(process);
    controller.bus.reconnect();
    expect([dea.starts, dea.stops]).toEqual([[], []]);
    expect(controller.log.join()).toContain("the bus is away");
  });
});
