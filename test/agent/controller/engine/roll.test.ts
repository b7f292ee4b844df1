import { randomUUID } from "node:crypto";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { routed } from "../../../../agent/controller/engine/routed.ts";
import type { Deployment } from "../../../../agent/controller/records.ts";
import {
  base,
  beat,
  becomes,
  type Controller,
  insertDroplet,
  type Pushed,
  pushed,
  settled,
  type TestCluster,
  testCluster,
} from "../../../support/engine.ts";
import type { FakeDea } from "../../../support/fakeDea.ts";
import { until } from "../../../support/until.ts";

let cluster: TestCluster;
let dea: FakeDea;
let controller: Controller;
let comeUp: boolean;
beforeEach(async () => {
  cluster = testCluster();
  comeUp = true;
  dea = cluster.dea({ memory: 8192, ready: () => comeUp });
  controller = await cluster.controller();
  await settled();
});
afterEach(() => cluster.close());

async function running(instances: number): Promise<Pushed> {
  const one = await pushed(controller.tables, { process: { instances } });
  await controller.engine.converge(one.process);
  return one;
}

async function deploy({ app }: Pushed, more: Partial<Deployment> = {}): Promise<Deployment> {
  const droplet = await insertDroplet(controller.tables, app.guid);
  const deployment = await controller.tables.deployments.insert({
    ...base(randomUUID()),
    ...{ app: app.guid, status: "ACTIVE", reason: "DEPLOYING", strategy: "rolling", droplet: droplet.guid },
    ...{ previousDroplet: app.droplet, process: randomUUID(), maxInFlight: 1 },
    metadata: { labels: {}, annotations: {} },
    ...more,
  });
  await controller.engine.roll(deployment);
  return deployment;
}

const ends = (deployment: Deployment, from = controller) =>
  becomes(
    () => from.tables.deployments.get(deployment.guid),
    ({ status }) => status === "FINALIZED",
    "the deployment has ended",
  );
const web = (app: string) => controller.tables.processes.all().filter((one) => one.app === app && one.type === "web");
const serving = (app: string) =>
  dea.held.filter((one) => one.state === "RUNNING" && one.start.vcap_application?.["application_id"] === app);

describe("a rolling deployment", () => {
  it("replaces all instances, one at a time, and never serves with fewer", async () => {
    const one = await running(3);
    let fewest = 3;
    let most = 3;
    const watching = setInterval(() => {
      fewest = Math.min(fewest, serving(one.app.guid).length);
      most = Math.max(most, serving(one.app.guid).length);
    }, 1);
    const deployment = await deploy(one);
    expect((await ends(deployment)).reason).toBe("DEPLOYED");
    clearInterval(watching);
    expect([fewest, most]).toEqual([3, 4]);
    expect(web(one.app.guid)).toMatchObject([{ guid: deployment.process, instances: 3 }]);
    expect(controller.tables.apps.get(one.app.guid)?.droplet).toBe(deployment.droplet);
    await until(() => serving(one.app.guid).every(({ droplet }) => droplet === deployment.process), {
      what: "only the new ones serve",
    });
    expect(serving(one.app.guid)).toHaveLength(3);
  });

  it("has no moment without an instance when the app has only one", async () => {
    const one = await running(1);
    let fewest = 1;
    const watching = setInterval(() => {
      fewest = Math.min(fewest, serving(one.app.guid).length);
    }, 1);
    await ends(await deploy(one));
    clearInterval(watching);
    expect(fewest).toBe(1);
  });

  it("takes as many at once as it may", async () => {
    const one = await running(4);
    const deployment = await deploy(one, { maxInFlight: 4 });
    await ends(deployment);
    expect(controller.tables.processes.get(deployment.process)?.instances).toBe(4);
  });

  it("keeps the old instances while the new ones do not come up, until it is canceled", async () => {
    const one = await running(2);
    comeUp = false;
    const deployment = await deploy(one);
    await until(() => dea.living(deployment.process).length === 1, { what: "a new one starts" });
    await new Promise((resolve) => setTimeout(resolve, 10 * beat));
    expect(serving(one.app.guid)).toHaveLength(2);
    expect(controller.tables.deployments.get(deployment.guid)?.status).toBe("ACTIVE");
    await controller.tables.deployments.update(deployment.guid, (now) => ({ ...now, reason: "CANCELING" }));
    await controller.engine.roll(deployment);
    expect((await ends(deployment)).reason).toBe("CANCELED");
    expect(web(one.app.guid)).toMatchObject([{ guid: one.process.guid, instances: 2 }]);
    expect(controller.tables.apps.get(one.app.guid)?.droplet).toBe(one.droplet.guid);
    await until(() => dea.living(deployment.process).length === 0, { what: "the new one is gone" });
    expect(serving(one.app.guid)).toHaveLength(2);
  });

  it("goes back from the middle when it is canceled", async () => {
    const one = await running(3);
    const deployment = await deploy(one);
    await becomes(
      () => controller.tables.processes.get(one.process.guid),
      ({ instances }) => instances < 3,
      "one is replaced",
    );
    await controller.tables.deployments.update(deployment.guid, (now) => ({ ...now, reason: "CANCELING" }));
    expect((await ends(deployment)).reason).toBe("CANCELED");
    await until(() => dea.living(one.process.guid).length === 3, { what: "all old ones run" });
    await until(() => dea.living(deployment.process).length === 0, { what: "no new one runs" });
  });

  it("is superseded by a newer one, which reaches the full number", async () => {
    const one = await running(3);
    const first = await deploy(one);
    await becomes(
      () => controller.tables.processes.get(one.process.guid),
      ({ instances }) => instances < 3,
      "one is replaced",
    );
    const second = await deploy(one, { created_at: new Date(Date.now() + 1000).toISOString() });
    expect((await ends(first)).reason).toBe("SUPERSEDED");
    expect((await ends(second)).reason).toBe("DEPLOYED");
    expect(web(one.app.guid)).toMatchObject([{ guid: second.process, instances: 3 }]);
  });

  it("is finished by another controller when the first one dies", async () => {
    const one = await running(3);
    const deployment = await deploy(one);
    await becomes(
      () => controller.tables.processes.get(one.process.guid),
      ({ instances }) => instances < 3,
      "one is replaced",
    );
    await controller.stop();
    controller = await cluster.controller();
    expect((await ends(deployment)).reason).toBe("DEPLOYED");
    expect(web(one.app.guid)).toMatchObject([{ guid: deployment.process, instances: 3 }]);
  });

  it("is rolled by one of two controllers only", async () => {
    const second = await cluster.controller();
    const one = await running(3);
    const holders = new Set<string>();
    second.tables.deployments.onChange((now) => now?.roller && holders.add(now.roller.holder));
    const deployment = await deploy(one);
    await until(() => second.tables.deployments.get(deployment.guid), { what: "both know it" });
    await second.engine.roll(deployment);
    await ends(deployment, second);
    expect(holders.size).toBe(1);
    expect(dea.starts.filter(({ droplet }) => droplet === deployment.process)).toHaveLength(3);
  });

  it("ends at once for a stopped app, and restarts the other processes of a started one", async () => {
    const one = await running(1);
    const worker = await controller.tables.processes.insert({ ...one.process, ...base(randomUUID()), type: "worker" });
    await controller.engine.converge(worker);
    const deployment = await deploy(one);
    await ends(deployment);
    expect(controller.tables.processes.get(worker.guid)?.version).not.toBe(worker.version);
    await controller.tables.apps.update(one.app.guid, (app) => ({ ...app, state: "STOPPED" }));
    const next = await deploy(one, { created_at: new Date(Date.now() + 1000).toISOString() });
    expect((await ends(next)).reason).toBe("DEPLOYED");
    expect(dea.starts.filter(({ droplet }) => droplet === next.process)).toEqual([]);
  });
});

describe("a rolling deployment on a controller with a slow beat", () => {
  const slow = 3_000;

  beforeEach(async () => {
    await controller.stop();
    controller = await cluster.controller({ beat: slow });
    dea.advertise();
  });

  it("goes from step to step as soon as the new instances run", async () => {
    const one = await running(3);
    const began = performance.now();
    const deployment = await deploy(one);
    expect((await ends(deployment)).reason).toBe("DEPLOYED");
    expect(web(one.app.guid)).toMatchObject([{ guid: deployment.process, instances: 3 }]);
    // Seven steps, and three times a tenth of a beat for the routers.
    expect(performance.now() - began).toBeLessThan(2 * slow);
  });

  it("hears of an instance that takes its time to run", async () => {
    const one = await running(2);
    comeUp = false;
    const began = performance.now();
    const deployment = await deploy(one);
    for (const count of [1, 2]) {
      await until(() => dea.living(deployment.process).length === count, { what: `new instance ${count} starts` });
      await new Promise((resolve) => setTimeout(resolve, 200));
      expect(serving(one.app.guid)).toHaveLength(2);
      const young = dea.held.find(({ state }) => state === "STARTING");
      if (young) dea.run(young);
    }
    expect((await ends(deployment)).reason).toBe("DEPLOYED");
    expect(performance.now() - began).toBeLessThan(2 * slow);
  });
});

describe("a rolling deployment where the room of an old instance is needed for a new one", () => {
  it("goes on when that room is free", async () => {
    dea.leave();
    // Room for three, and those that are stopped keep theirs for a while.
    dea = cluster.dea({ memory: 3 * 128, stopping: 10 * beat });
    await settled();
    const one = await running(2);
    const deployment = await deploy(one);
    expect((await ends(deployment)).reason).toBe("DEPLOYED");
    expect(dea.living(deployment.process)).toHaveLength(2);
  });
});

describe("whether the routers have an instance", () => {
  it("is a matter of a tenth of a beat after it was seen to run", () => {
    const one = routed(1000);
    expect([one.isRouted("a", 5000), one.wait(5000)]).toEqual([false, 100]);
    expect([one.isRouted("b", 5040), one.wait(5040)]).toEqual([false, 60]);
    expect([one.isRouted("a", 5100), one.wait(5100)]).toEqual([true, 40]);
    expect([one.isRouted("b", 5140), one.wait(5140)]).toEqual([true, undefined]);
  });
});
