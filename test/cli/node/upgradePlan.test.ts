import { describe, expect, it } from "vitest";
import { planText, planUpgrade, type UpgradeNode } from "../../../cli/node/upgradePlan.ts";
import type { RoleName } from "../../../roles/role.ts";

const node = (id: string, roles: RoleName[], well = true): UpgradeNode => ({
  ...{ id, roles, well, why: well ? "" : "lost for 3m" },
});
const move = { from: "0.1.0-aaa", to: "0.2.0-bbb" };
const all = (nodes: readonly UpgradeNode[]) => new Map(nodes.map(({ id }) => [id, move]));
const order = (nodes: readonly UpgradeNode[]) =>
  planUpgrade({ nodes, wanted: all(nodes) }).steps.map((step) => step.node);

describe("the order of an upgrade", () => {
  it("takes DEAs first, then those at the door, and cores last", () => {
    const nodes = [
      ...[node("core-0", ["core"]), node("run-10", ["dea"]), node("run-2", ["dea"])],
      ...[node("door-0", ["router"]), node("work-0", ["dea", "stager"]), node("lead-0", ["core", "controller"])],
    ];
    expect(order(nodes)).toEqual(["run-2", "run-10", "work-0", "door-0", "core-0", "lead-0"]);
  });

  it("leaves out who uses the bundle already, unless it is not well: then it is gone through again", () => {
    const nodes = [node("run-0", ["dea"]), node("run-1", ["dea"], false), node("run-2", ["dea"])];
    const there = { from: move.to, to: move.to };
    const wanted = new Map([
      ["run-0", there],
      ["run-1", there],
    ]);
    const { steps, refusals } = planUpgrade({ nodes, wanted });
    expect(steps.map((step) => [step.node, step.needed])).toEqual([
      ["run-0", false],
      ["run-1", true],
    ]);
    expect(refusals).toEqual([]);
  });
});

describe("what an upgrade wants of those who stay", () => {
  it("is nothing where a role has one node only: it is away for some seconds, and that is said", () => {
    const nodes = [node("lead-0", ["core", "controller", "router"]), node("run-0", ["dea"]), node("run-1", ["dea"])];
    const plan = planUpgrade({ nodes, wanted: all(nodes) });
    expect(plan.refusals).toEqual([]);
    expect(plan.steps.at(-1)).toMatchObject({ node: "lead-0", away: ["core", "controller", "router"] });
    expect(planText(plan)).toBe(
      [
        "One node after the other; instances of apps are not touched:",
        "   1  run-0   0.1.0-aaa → 0.2.0-bbb",
        "   2  run-1   0.1.0-aaa → 0.2.0-bbb",
        "   3  lead-0  0.1.0-aaa → 0.2.0-bbb; for some seconds nobody is core, controller, router",
      ].join("\n"),
    );
  });

  it("is that another node of the role is well", () => {
    const nodes = [node("run-0", ["dea"]), node("run-1", ["dea"], false)];
    const wanted = new Map([["run-0", move]]);
    expect(planUpgrade({ nodes, wanted }).refusals).toEqual([
      "the role dea would not be covered without run-0: run-1 (lost for 3m) must be well first",
    ]);
    // The one that is not well may be mended by it.
    expect(planUpgrade({ nodes, wanted: new Map([["run-1", move]]) }).refusals).toEqual([]);
  });

  it("is a majority of cores", () => {
    const three = (well: boolean) => [node("a-0", ["core"]), node("a-1", ["core"]), node("a-2", ["core"], well)];
    const wanted = new Map([["a-0", move]]);
    expect(planUpgrade({ nodes: three(true), wanted }).refusals).toEqual([]);
    expect(planUpgrade({ nodes: three(false), wanted }).refusals).toEqual([
      expect.stringMatching(/^the role core would not be covered without a-0: a-2/),
    ]);
  });
});

it("has nothing to do when all use it already", () => {
  const nodes = [node("run-0", ["dea"])];
  const plan = planUpgrade({ nodes, wanted: new Map([["run-0", { from: move.to, to: move.to }]]) });
  expect(planText(plan)).toBe("nothing to do: every node uses this agent already");
});
