import { describe, expect, it } from "vitest";
import { estimate, estimateNodes, type PricedNode } from "../../infra/price.ts";
import { delta, money, overBudget } from "../../infra/priceDelta.ts";
import { type PriceTable, priceTable } from "../../infra/priceTable.ts";
import { deltaText, estimateText, savingText } from "../../infra/priceText.ts";
import { typesWith } from "../../roles/instanceTypes.ts";
import { profile } from "../support/infra.ts";

/** Round figures, so that a person can check what comes out. */
const round: PriceTable = {
  ...{ date: "2030-01-01", source: "made up", currency: "USD", hoursPerMonth: 100 },
  ...{ volumeGibMonth: 0.1, addressHour: 0.01, bucketGibMonth: 0.02, bucketGib: 5, regions: { here: 1, there: 1.5 } },
  types: { "a1.small": { hour: 0.1, spotShare: 0.5 }, "a1.large": { hour: 0.4, spotShare: 0.5 } },
};
const node = (id: string, rest: Partial<PricedNode> = {}): PricedNode => ({
  ...{ id, type: "a1.small", spot: false, volume: 10 },
  ...rest,
});
const priced = (nodes: readonly PricedNode[], region = "here") => estimateNodes({ region, nodes }, round);

describe("the price of a cluster", () => {
  it("has machines on demand, machines on spot and what belongs to them apart", () => {
    const { onDemand, spot, other, total } = priced([node("lead-0"), node("run-0", { spot: true })]);
    // 10 + 5 for the machines; 2 for the disks, 2 for the addresses, 0.10 for the bucket.
    expect({ onDemand, spot, other, total }).toEqual({ onDemand: 10, spot: 5, other: 4.1, total: 19.1 });
  });

  it("has one line for each group of nodes, and the lines add up to the sum", () => {
    const { lines, total } = priced([node("run-0"), node("run-1"), node("lead-0", { type: "a1.large" })]);
    expect(lines.map(({ of, what, month }) => `${of}: ${what} ${month}`)).toEqual([
      ...["run: 2 × a1.small 20", "lead: 1 × a1.large 40"],
      ...["disks: 30 GiB gp3 3", "addresses: 3 × public IPv4 3", "bucket: 5 GiB, say 0.1"],
    ]);
    expect(lines.reduce((sum, { month = 0 }) => sum + month, 0)).toBeCloseTo(total, 10);
  });

  it("is higher in a dearer region, for machines and disks and not for addresses", () => {
    const { onDemand, other } = priced([node("lead-0")], "there");
    expect({ onDemand, other }).toEqual({ onDemand: 15, other: 2.6 });
  });

  it("counts as us-east-1's in a region without a factor, and says so", () => {
    const found = priced([node("lead-0")], "moon-1");
    expect(found).toMatchObject({ total: 12.1, foreignRegion: true });
    expect(estimateText(found)).toContain("moon-1 is not in the price table: these are the prices of us-east-1");
  });

  it("leaves a type without a price out of the sums, and says so", () => {
    const found = priced([node("lead-0"), node("big-0", { type: "x9.huge" })]);
    expect(found).toMatchObject({ onDemand: 10, unpriced: ["x9.huge"] });
    expect(estimateText(found)).toMatch(/big: 1 × x9\.huge +\?\n[\s\S]*no price is known of x9\.huge: not in the sums/);
  });

  it("is nothing for a cluster on machines of one's own", () => {
    const found = estimate(profile("solo"));
    expect(found).toMatchObject({ total: 0, lines: [] });
    expect(estimateText(found)).toBe("nothing of this costs money on AWS");
  });

  it.each(["trio", "five", "twenty"])("of the profile %s is the one that was looked at", async (name) => {
    await expect(`${estimateText(estimate(profile(name)))}\n`).toMatchFileSnapshot(`golden/price-${name}.txt`);
  });
});

describe("the difference between two prices", () => {
  it("is the whole price when nothing was there, and none when nothing changes", () => {
    const after = priced([node("lead-0")]);
    expect(delta(undefined, after)).toMatchObject({ total: 12.1, onDemand: 10, other: 2.1 });
    expect(delta(after, after)).toMatchObject({ total: 0, lines: [] });
    expect(deltaText(delta(after, after))).toBe("the price stays as it is");
  });

  it("tells by group what grows, goes over to spot, comes and goes", async () => {
    const before = priced([node("lead-0"), node("run-0"), node("old-0"), node("odd-0", { type: "x9.huge" })]);
    const after = priced([
      ...[node("lead-0", { type: "a1.large" }), node("run-0", { spot: true }), node("run-1", { spot: true })],
      ...[node("new-0"), node("odd-0", { type: "x9.huge" }), node("odd-1", { type: "x9.huge" })],
    ]);
    const found = delta(before, after);
    expect(found).toMatchObject({ onDemand: 20, spot: 10, other: 4, total: 34 });
    await expect(`${deltaText(found)}\n`).toMatchFileSnapshot("golden/price-delta.txt");
  });
});

describe("a budget", () => {
  const found = priced([node("lead-0")]);

  it("is kept up to the last cent, and broken by the next", () => {
    expect(overBudget(found, 12.1)).toBeUndefined();
    expect(overBudget(found, 12.09)).toMatchObject({
      by: 0.01,
      why: "$12.10 a month is $0.01 over the budget of $12.09",
    });
    expect(overBudget(found, 0)?.by).toBe(12.1);
  });

  it("that is broken names the dearest groups of nodes, all that a group has together", () => {
    const nodes = ["a-0", "b-0", "c-0", "d-0"].map((id) => node(id));
    const over = overBudget(priced([...nodes, node("c-1", { spot: true }), node("d-1", { type: "a1.large" })]), 1);
    expect(over?.dearest.map(({ of, what, month }) => `${of}: ${what} ${month}`)).toEqual([
      "d: 1 × a1.small + 1 × a1.large 50",
      "c: 1 × a1.small + 1 × a1.small spot 15",
      "a: 1 × a1.small 10",
    ]);
    expect(over && savingText(over)).toMatch(/^the dearest: d \(.*\) \$50\.00, c .*, a .*; a smaller instanceType/);
  });

  it("that cannot be checked does not pass for one that is kept", () => {
    const odd = priced([node("odd-0", { type: "x9.huge" })]);
    expect(overBudget(odd, 1000)).toMatchObject({
      by: 0,
      why: "the budget of $1000.00 cannot be checked: no price is known of x9.huge",
    });
    expect(overBudget(odd, 1)?.by).toBe(1.1);
  });

  it("and all other amounts are written in dollars and cents", () => {
    expect([0, 12.5, -3, 1234.567].map(money)).toEqual(["$0.00", "$12.50", "-$3.00", "$1234.57"]);
  });
});

describe("the price table", () => {
  it("has a price for every type that the spec's checks may propose", () => {
    const proposed = (["x64", "arm64"] as const).flatMap((architecture) =>
      [0, 1, 2, 4, 8, 16, 32, 64].flatMap((gib) => typesWith(gib * 1024, architecture)),
    );
    expect([...new Set(proposed)].filter((type) => !priceTable.types[type])).toEqual([]);
  });

  it("has a day and a source, and nothing that makes no sense", () => {
    expect(priceTable.date).toMatch(/^\d{4}-\d\d-\d\d$/);
    expect(priceTable.source).toContain("us-east-1");
    for (const [type, { hour, spotShare }] of Object.entries(priceTable.types)) {
      expect(hour, type).toBeGreaterThan(0);
      expect(spotShare, type).toBeGreaterThan(0.1);
      expect(spotShare, type).toBeLessThan(1);
    }
  });
});
