import { describe, expect, it } from "vitest";
import type { Effect } from "../../infra/effects.ts";
import { replacements } from "../../infra/replacements.ts";
import { plan } from "../../roles/plan.ts";
import type { RoleName } from "../../roles/role.ts";
import { profile } from "../support/infra.ts";

const effect = (node: string, roles: readonly RoleName[], kind: Effect["kind"] = "replace"): Effect => ({
  ...{ node, kind, roles },
  because: [],
});

/** All nodes of a profile replaced at once, as batches of names. */
function batches(name: string, kind: Effect["kind"] = "replace"): string[][] {
  const nodes = plan(profile(name));
  const all = nodes.map(({ id, roles }) => effect(id, roles, kind));
  return replacements(all, nodes).map((batch) => batch.map(({ node }) => node));
}

describe("the order in which machines are replaced", () => {
  it("has one node after the other where they share a role, and the core last", () => {
    expect(batches("trio")).toEqual([["work-0"], ["run-0"], ["lead-0"]]);
  });

  it("does at once what has no role in common", () => {
    const [first, second] = batches("twenty");
    expect(first).toEqual(["api-0", "router-0", "stager-0", "dea-0"]);
    expect(second).toEqual(["api-1", "router-1", "stager-1", "dea-1"]);
  });

  it.each(["one", "trio", "five", "twenty"])(
    "never takes two of %s that share a role, and each exactly once",
    (name) => {
      const nodes = plan(profile(name));
      const rolesOf = new Map(nodes.map(({ id, roles }) => [id, roles]));
      const order = batches(name);
      for (const batch of order) {
        const roles = batch.flatMap((id) => rolesOf.get(id) ?? []);
        expect(new Set(roles).size, batch.join()).toBe(roles.length);
      }
      expect(order.flat().sort()).toEqual(nodes.map(({ id }) => id).sort());
    },
  );

  it.each(["five", "twenty"])("of %s ends with the cores, one by one", (name) => {
    expect(batches(name).slice(-3)).toEqual([["core-0"], ["core-1"], ["core-2"]]);
  });

  it("is the same for machines that only stop and start", () => {
    expect(batches("five", "restart")).toEqual(batches("five"));
  });

  it("minds the roles that a node has and those that it will have", () => {
    const nodes = plan(profile("trio", (text) => text.replace("roles: [dea]", "roles: [stager]")));
    const all = [effect("work-0", ["dea"]), effect("run-0", ["dea"])];
    expect(replacements(all, nodes).map((batch) => batch.map(({ roles }) => roles.join()))).toEqual([
      ["dea,stager"],
      ["dea,stager"],
    ]);
  });

  it("is empty where nobody goes", () => {
    const nodes = plan(profile("trio"));
    const all = (["create", "change", "delete", "refuse"] as const).map((kind) => effect("run-0", ["dea"], kind));
    expect(replacements(all, nodes)).toEqual([]);
  });
});

describe("which goes first, the old machine or the new one", () => {
  it("is the old one for a core, whose address is its place, and the new one for all others", () => {
    const nodes = plan(profile("five"));
    const all = nodes.map(({ id, roles }) => effect(id, roles));
    const first = replacements(all, nodes).flat();
    expect(first.filter(({ oldFirst }) => oldFirst).map(({ node }) => node)).toEqual(["core-0", "core-1", "core-2"]);
  });

  it("is no question for one that only stops and starts", () => {
    const nodes = plan(profile("five"));
    expect(replacements([effect("core-0", ["core"], "restart")], nodes)).toMatchObject([[{ oldFirst: false }]]);
  });
});
