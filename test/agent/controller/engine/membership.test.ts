import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { deaIdOf } from "../../../../agent/bus/deaId.ts";
import { subjects } from "../../../../agent/bus/subjects.ts";
import { type Controller, type TestCluster, testCluster } from "../../../support/engine.ts";
import { until } from "../../../support/until.ts";

let cluster: TestCluster;
let controller: Controller;
beforeEach(async () => {
  cluster = testCluster();
  controller = await cluster.controller();
});
afterEach(() => cluster.close());

const record = (more: object = {}) => ({
  ...{ key: "UKEY", tlsKey: "PEM", instance: "i-1", address: "10.0.0.7", index: 3, roles: ["dea"], claim: "run-3.1" },
  ...more,
});
const all = () => controller.membership.all();

describe("those who belong to the cluster", () => {
  it("are who the cores have let in, with the roles that they should have now", async () => {
    await cluster.store.put("members.run-3", record());
    await cluster.store.put("members.lead-0", record({ key: "ULEAD", roles: ["core"], revoked: 5 }));
    await cluster.store.put("nodes.run-3", { roles: ["dea", "stager"] });
    await cluster.store.put("nodes.nobody", { roles: ["dea"] });
    expect(await all()).toEqual([
      { id: "lead-0", roles: ["core"], address: "10.0.0.7", instance: "i-1", removed: 5, instances: undefined },
      { id: "run-3", roles: ["dea", "stager"], address: "10.0.0.7", instance: "i-1", instances: undefined },
    ]);
  });

  it("are told with the instances that their own DEA holds, and nobody else's", async () => {
    await cluster.store.put("members.run-3", record());
    const dea = cluster.dea({ id: deaIdOf({ index: 3, key: "UKEY" }) });
    cluster.dea();
    await until(async () => (await all())[0]?.instances === 0, { what: "its DEA is heard" });
    expect(dea.id).toBe(deaIdOf({ index: 3, key: "UKEY" }));
  });

  it("are nobody on a cluster of one machine, which takes no newcomers", async () => {
    expect(await all()).toEqual([]);
    expect(controller.membership.newcomer).toBeUndefined();
  });
});

describe("the cores", () => {
  it("are asked for a claim, and to shut a node out; it is no node that is lost then", async () => {
    const claim = { id: "run-3.1", roles: ["dea"], expires: "2030-01-01T00:00:00.000Z", secret: "hush" };
    cluster.tool.subscribe(subjects.claim, ({ node, roles }, { reply }) =>
      reply({ claim: { ...claim, id: `${node}.1`, roles }, cores: ["10.0.0.4"], ca: "PEM" }),
    );
    cluster.tool.subscribe(subjects.revoke, ({ node }, { reply }) => reply({ revoked: node }));
    expect(await controller.membership.claim("run-3", ["dea"])).toEqual({ claim, cores: ["10.0.0.4"], ca: "PEM" });
    const beat = { id: "run-3", address: "10.0.0.7", version: "1", roles: ["dea"], components: [] };
    cluster.tool.publish(subjects.nodeBeat, beat);
    await until(() => controller.engine.nodes().length === 1, { what: "the node is heard" });
    expect(await controller.membership.revoke("run-3")).toEqual({ revoked: "run-3" });
    expect(controller.engine.nodes()).toEqual([]);
  });
});
