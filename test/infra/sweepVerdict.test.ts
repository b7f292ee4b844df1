import { describe, expect, it } from "vitest";
import type { Found, FoundKind } from "../../infra/inventoryFound.ts";
import { verdicts, type Wish } from "../../infra/sweepVerdict.ts";

const hour = 60 * 60 * 1000;
const now = Date.parse("2027-03-01T12:00:00Z");

function thing(kind: FoundKind, id: string, rest: Partial<Found> = {}): Found {
  const marks = { cluster: "trio", stack: "dev", node: "-", owner: "me@example.com", expires: "never" };
  const global = kind === "role" || kind === "profile";
  return { kind, id, region: global ? "" : "eu-central-1", created: now - 100 * hour, ...marks, ...rest };
}

function machine(id: string, node: string, rest: Partial<Found> = {}): Found {
  const place = { zone: "eu-central-1a", image: "ami-1", network: "vpc-1", subnet: "subnet-1" };
  const facts = { group: "lead", roles: ["core"], state: "running", type: "t3.small", spot: false };
  const addresses = { privateAddress: "10.20.0.4", publicAddress: "" };
  return thing("instance", id, { node, machine: { ...facts, ...place, ...addresses }, ...rest });
}

const both: Wish = { expired: true, orphans: true };

/** `kind id: why` of what goes. */
function go(found: readonly Found[], wish: Wish = both, unseen: readonly string[] = []): string[] {
  const alive = new Set(found.filter((one) => one.machine).map(({ cluster, stack }) => `${cluster}/${stack}`));
  return verdicts({ found, alive, unseen }, wish, now).map(({ kind, id, why }) => `${kind} ${id}: ${why}`);
}

describe("what is expired", () => {
  const until = (expires: string) => [machine("i-1", "lead-0", { expires }), thing("network", "vpc-1", { expires })];

  it("goes from the first moment of the day that the tag names, and from the very instant", () => {
    expect(go(until("2027-03-01"))).toEqual(["instance i-1: expired 2027-03-01", "network vpc-1: expired 2027-03-01"]);
    expect(go(until("2027-03-01T12:00:00Z"))).toHaveLength(2);
    expect(go(until("2027-03-01T12:00:01Z"))).toEqual([]);
    expect(go(until("2027-03-02"))).toEqual([]);
  });

  it("is nothing that never expires, and nothing whose tag nobody can read", () => {
    expect(go(until("never"))).toEqual([]);
    expect(go(until("next tuesday"))).toEqual([]);
  });

  it("stays as a whole when it was put off and not every tag says so yet", () => {
    const found = [machine("i-1", "lead-0", { expires: "2027-06-01" }), thing("role", "r", { expires: "2027-01-01" })];
    expect(go(found)).toEqual([]);
  });

  it("does not touch the same cluster of another stack", () => {
    const found = [...until("2027-01-01"), machine("i-2", "lead-0", { stack: "prod" })];
    expect(go(found)).toHaveLength(2);
  });

  it("stays when only orphans are asked for, or another cluster", () => {
    expect(go(until("2027-01-01"), { expired: false, orphans: true })).toEqual([]);
    expect(go(until("2027-01-01"), { ...both, cluster: "other" })).toEqual([]);
  });
});

describe("what belongs to nobody", () => {
  it("is everything of a stack without machines, but not as long as one may be on its way", () => {
    const old = [thing("network", "vpc-1"), thing("role", "r"), thing("bucket", "b")];
    const why = "no machine of its stack is left";
    expect(go(old)).toEqual([`network vpc-1: ${why}`, `role r: ${why}`, `bucket b: ${why}`]);
    expect(go([...old, thing("key", "k", { created: now - hour / 2 })])).toEqual([]);
  });

  it("is no role as long as there is a region with machines nobody could see", () => {
    expect(go([thing("network", "vpc-1"), thing("role", "r")], both, ["me-south-1"])).toEqual([
      "network vpc-1: no machine of its stack is left",
    ]);
  });

  it("is the older of two machines of one name, when the newer has proved to be there for good", () => {
    const two = (age: number) => [machine("i-1", "lead-0"), machine("i-2", "lead-0", { created: now - age })];
    expect(go(two(2 * hour))).toEqual(["instance i-1: lead-0 has a newer machine, i-2"]);
    // A replacement that is under way: create, ready, drain, delete.
    expect(go(two(hour / 2))).toEqual([]);
  });

  it("is a disk or an address that no machine has, when its node is not just being born", () => {
    const loose = (age: number) => [
      machine("i-1", "lead-0", { created: now - age }),
      thing("volume", "vol-1", { node: "lead-0", heldBy: "" }),
      thing("address", "eip-1", { node: "lead-0", heldBy: "", created: undefined }),
      thing("volume", "vol-2", { node: "lead-0", heldBy: "i-1" }),
    ];
    expect(go(loose(2 * hour))).toEqual(["volume vol-1: no machine has it", "address eip-1: no machine has it"]);
    expect(go(loose(hour / 2))).toEqual([]);
  });

  it("is everything of a stack that does not exist, when it is known which do", () => {
    const found = [machine("i-1", "lead-0"), machine("i-2", "lead-0", { stack: "prod" })];
    expect(go(found, { ...both, stacks: new Set(["prod"]) })).toEqual(["instance i-1: there is no stack dev"]);
  });
});

describe("everything of a cluster", () => {
  it("goes only when the cluster is named", () => {
    const found = [machine("i-1", "lead-0"), machine("i-2", "lead-0", { cluster: "other" })];
    const wish = { expired: false, orphans: false, everything: true };
    expect(go(found, wish)).toEqual([]);
    expect(go(found, { ...wish, cluster: "trio" })).toEqual(["instance i-1: you named its cluster"]);
  });

  it("says what each thing costs, a machine that is stopped nothing but its disk", () => {
    const found = [
      machine("i-1", "lead-0"),
      machine("i-2", "run-0", { machine: { ...stopped, spot: false } }),
      machine("i-3", "run-1", { machine: { ...stopped, state: "running", spot: true, type: "x9.huge" } }),
      thing("volume", "vol-1", { gib: 20, heldBy: "i-1" }),
      thing("address", "eip-1", { heldBy: "i-1" }),
      thing("network", "vpc-1"),
    ];
    const wish = { expired: false, orphans: false, everything: true, cluster: "trio" };
    const doomed = verdicts({ found, alive: new Set(), unseen: [] }, wish, now);
    expect(doomed.map(({ month }) => month)).toEqual([17.46, 0, undefined, 1.84, 3.65, 0]);
  });
});

const stopped = {
  ...{ group: "run", roles: ["dea"], state: "stopped", type: "t3.small", zone: "eu-central-1a", image: "ami-1" },
  ...{ network: "vpc-1", subnet: "subnet-1", privateAddress: "10.20.0.5", publicAddress: "" },
};
