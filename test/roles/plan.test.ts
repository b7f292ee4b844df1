import { describe, expect, it } from "vitest";
import { plan } from "../../roles/plan.ts";
import { parseCluster } from "../../roles/spec.ts";

const cluster = (nodes: string, zones = "[a, b, c]") =>
  parseCluster(
    `name: x\ndomain: x.test\naws: { region: eu-west-1, owner: me, zones: ${zones} }\nnodes:\n` +
      `  - { name: lead, roles: [core, controller, router] }\n${nodes}`,
  );
const ids = (nodes: string) => plan(cluster(nodes)).map(({ id, zone }) => `${id} ${zone}`);

describe("the plan of a cluster", () => {
  it("calls nodes by their group and number and spreads each group over the zones", () => {
    expect(ids("  - { name: dea, count: 4, roles: [dea] }")).toEqual([
      "lead-0 eu-west-1a",
      "dea-0 eu-west-1a",
      "dea-1 eu-west-1b",
      "dea-2 eu-west-1c",
      "dea-3 eu-west-1a",
    ]);
  });

  it("leaves every node where it is when another group comes, goes or grows", () => {
    const before = ids("  - { name: dea, count: 3, roles: [dea] }");
    const after = ids("  - { name: early, count: 2, roles: [dea] }\n  - { name: dea, count: 5, roles: [dea] }");
    expect(after).toEqual(expect.arrayContaining(before));
  });

  it("gives each core an address in its zone's subnet for life, whoever comes after it, and nobody else one", () => {
    const three = "  - { name: more, count: 2, roles: [core], zones: [b, c] }\n";
    const where = (nodes: string) => plan(cluster(nodes)).map(({ id, address }) => `${id} ${address}`);
    expect(where(`${three}  - { name: dea, roles: [dea] }`)).toEqual([
      "lead-0 10.20.0.10",
      "more-0 10.20.16.11",
      "more-1 10.20.32.12",
      "dea-0 undefined",
    ]);
    expect(where("")[0]).toBe("lead-0 10.20.0.10");
  });

  it("keeps to the zones of the group, where it has some", () => {
    expect(ids("  - { name: dea, count: 2, roles: [dea], zones: [c] }").slice(1)).toEqual([
      "dea-0 eu-west-1c",
      "dea-1 eu-west-1c",
    ]);
  });

  it("fills in the machine that the spec leaves open", () => {
    expect(plan(cluster("  - { name: dea, roles: [dea], spot: true }"))[1]?.machine).toEqual({
      type: "t3.medium",
      volume: 20,
      spot: true,
    });
  });

  it("of machines of one's own has the group's zone and no EC2 in it", () => {
    const spec = parseCluster(
      "name: x\ndomain: x.test\nnodes: [{ name: all, zone: cellar, roles: [core, controller, router] }]",
    );
    expect(plan(spec)).toMatchObject([{ id: "all-0", zone: "cellar", machine: undefined }]);
  });
});
