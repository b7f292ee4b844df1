import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { subjects } from "../../../../agent/bus/subjects.ts";
import { beat, type Controller, pushed, settled, type TestCluster, testCluster } from "../../../support/engine.ts";
import { until } from "../../../support/until.ts";

let cluster: TestCluster;
let controller: Controller;
beforeEach(async () => {
  cluster = testCluster();
});
afterEach(() => cluster.close());

describe("changing what runs", () => {
  it("stops the old version before it starts the new one", async () => {
    const order: string[] = [];
    cluster.tool.subscribe(subjects.deaStop, () => void order.push("stop"));
    cluster.tool.subscribe(subjects.deaUuidStart, () => void order.push("start"));
    const dea = cluster.dea();
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    const next = await controller.tables.processes.update(process.guid, (one) => ({ ...one, version: "v2" }));
    await controller.engine.converge(next);
    expect(order).toEqual(["start", "stop", "start"]);
    expect(dea.living(process.guid).map(({ version }) => version)).toEqual(["v2"]);
  });

  it("restarts on a DEA that has room only when the old instance is gone, and that takes a while", async () => {
    const dea = cluster.dea({ memory: 128, stopping: 3 * beat });
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables);
    await controller.engine.converge(process);
    const next = await controller.tables.processes.update(process.guid, (one) => ({ ...one, version: "v2" }));
    await controller.engine.converge(next);
    await until(() => dea.living(process.guid)[0]?.version === "v2", { what: "the new version runs" });
  });

  it("scales down by slots of the version, never with an empty list", async () => {
    const dea = cluster.dea();
    controller = await cluster.controller();
    await settled();
    const { process } = await pushed(controller.tables, { process: { instances: 3 } });
    await controller.engine.converge(process);
    const fewer = await controller.tables.processes.update(process.guid, (one) => ({ ...one, instances: 1 }));
    await controller.engine.converge(fewer);
    await controller.engine.converge(fewer);
    await until(() => dea.living(process.guid).length === 1, { what: "one instance is left" });
    expect(dea.stops).toHaveLength(1);
    expect(dea.stops[0]).toMatchObject({ droplet: process.guid, version: process.version, indices: [1, 2] });
    expect(dea.stops[0]?.instances).toEqual(dea.stops[0]?.instance_ids);
  });

  it("stops everything of a stopped app with one message", async () => {
    const dea = cluster.dea();
    controller = await cluster.controller();
    await settled();
    const { process, app } = await pushed(controller.tables, { process: { instances: 2 } });
    await controller.engine.converge(process);
    await controller.tables.apps.update(app.guid, (one) => ({ ...one, state: "STOPPED" }));
    await controller.engine.converge(process);
    await until(() => dea.living(process.guid).length === 0, { what: "nothing runs" });
    expect(dea.stops).toEqual([{ droplet: process.guid }]);
  });

  it("stops one instance by its slot and version", async () => {
    const dea = cluster.dea();
    controller = await cluster.controller();
    const { process } = await pushed(controller.tables);
    await controller.engine.stopInstance(process, 0);
    await until(() => dea.stops.length > 0, { what: "the stop arrives" });
    expect(dea.stops[0]).toEqual({ droplet: process.guid, version: process.version, indices: [0] });
  });

  it("gives the DEAs the complete list of routes, with the version", async () => {
    const dea = cluster.dea();
    controller = await cluster.controller();
    const { process, app } = await pushed(controller.tables);
    await controller.engine.routesChanged(app);
    await until(() => dea.updates.length > 0, { what: "the update arrives" });
    expect(dea.updates[0]).toMatchObject({
      droplet: process.guid,
      uris: [`${app.name}.apps.example`],
      version: process.version,
    });
  });

  it("does not start what was deleted while a start was under way", async () => {
    const dea = cluster.dea();
    controller = await cluster.controller();
    const { process } = await pushed(controller.tables);
    const converging = controller.engine.converge(process);
    await controller.tables.processes.delete(process.guid);
    await converging;
    await controller.engine.stop(process);
    await until(() => dea.living(process.guid).length === 0, { what: "nothing runs" });
  });
});
