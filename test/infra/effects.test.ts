import { describe, expect, it } from "vitest";
import { effects } from "../../infra/effects.ts";
import type { NodeOutcome } from "../../infra/outcome.ts";
import { plan } from "../../roles/plan.ts";
import { profile } from "../support/infra.ts";

const trio = plan(profile("trio"));
const standing = trio.map((node): NodeOutcome => {
  const { type = "", spot = false, volume = 0 } = node.machine ?? {};
  const { id, roles, zone } = node;
  const { address = "10.20.0.4" } = node;
  const there = { image: "ami-1", instance: `i-${id}`, privateAddress: address, publicAddress: "198.51.100.4" };
  return { id, roles, zone, type, spot, volume, ...there };
});

/** What an `up` would do after the text of trio's spec was changed so. */
function upAfter(change: (text: string) => string, image?: string): string[] {
  const found = effects(standing, plan(profile("trio", change)), image);
  return found.map(({ kind, node, roles, because }) => `${kind} ${node} (${roles}): ${because.join("; ")}`);
}

describe("what an up does to the nodes that are there", () => {
  it("is nothing when nothing has changed", () => {
    expect(upAfter((text) => text)).toEqual([]);
  });

  it("for other roles is a change of tags, rules and rights: the machine runs on", () => {
    expect(upAfter((text) => text.replace("roles: [dea]", "roles: [dea, stager]"))).toEqual([
      "change run-0 (dea): other roles: dea → dea, stager; tags, firewall rules and rights only",
    ]);
  });

  it("for another size is a stop and a start, for another zone a new machine: with the roles that feel it", () => {
    const change = (text: string) =>
      text.replace("instanceType: t3.medium", "instanceType: t3.large").replace("zones: [a] #", "zones: [b] #");
    expect(upAfter(change)).toEqual([
      "replace lead-0 (core,controller,health,router): another zone: eu-central-1a → eu-central-1b; " +
        "another address: 10.20.0.10 → 10.20.16.10; the old machine goes first: 10.20.16.10 is its place; " +
        "it is the only core: what the cluster remembers goes with it",
      "restart work-0 (dea,stager): another size: t3.medium → t3.large",
    ]);
  });

  it("for another image is new machines, and for the newest of a name none", () => {
    expect(upAfter((text) => text, "ami-2")).toEqual([
      "replace lead-0 (core,controller,health,router): another image: ami-1 → ami-2; " +
        "the old machine goes first: 10.20.0.10 is its place; it is the only core: what the cluster remembers goes with it",
      "replace work-0 (dea,stager): another image: ami-1 → ami-2",
      "replace run-0 (dea): another image: ami-1 → ami-2",
    ]);
    expect(upAfter((text) => text, undefined)).toEqual([]);
  });

  it("for a larger disk is done while it runs, and a smaller one is refused", () => {
    expect(upAfter((text) => text.replace("volume: 20", "volume: 40"))).toEqual([
      "change lead-0 (core,controller,health,router): a larger disk: 20 → 40 GiB",
    ]);
    expect(upAfter((text) => text.replace("volume: 20", "volume: 10"))[0]).toMatch(/^refuse lead-0/);
  });

  it("for a group that goes and one that comes is the worst first", () => {
    expect(upAfter((text) => text.replace("name: run", "name: walk")).map((line) => line.split(" (")[0])).toEqual([
      "delete run-0",
      "create walk-0",
    ]);
  });
});
