import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { leftovers } from "../support/ec2Eyes.ts";
import { type OfflineCluster, offlineCluster } from "../support/offlineCluster.ts";

// What a change costs, seen where a person decides on it. One life: each test goes on where the one before it ended.

let our: OfflineCluster;
beforeAll(async () => {
  our = await offlineCluster();
  await our.write("trio");
});
afterAll(() => our?.gone());

interface Cost {
  total: number;
  before: number;
  onDemand: number;
  spot: number;
  delta: { total: number; spot: number };
}

const costOf = (json: object) => (json as unknown as { cost: Cost }).cost;
const spotted = (text: string) => text.replace("roles: [dea]", "roles: [dea]\n    spot: true");

describe("a budget", { timeout: 90_000 }, () => {
  it("that is not kept ends an up before anything is made, and says by how much and where to save", async () => {
    const { code, err, out } = await our.tutti("up", ["--yes", "--budget", "50"]);
    expect(code).toBe(1);
    expect(out).toBe("");
    expect(err).toMatch(
      /^error: over budget: \$\d+\.\d\d a month is \$\d+\.\d\d over the budget of \$50\.00\nhint: the/,
    );
    expect(err).toMatch(/dearest: work \(1 × t3\.medium\) \$\d+\.\d\d, .*a smaller instanceType/);
    expect(await leftovers(our.there)).toEqual([]);
  });

  it("that is not kept fails a preview, which shows its plan and its price all the same", async () => {
    const { code, err, out } = await our.tutti("preview", ["--budget", "50.25"]);
    expect(code).toBe(1);
    expect(err).toMatch(/error: over budget: .* over the budget of \$50\.25\n/);
    expect(out).toMatch(/create +machine × 3/);
    expect(out).toMatch(/What it costs a month:\n {2}lead: 1 × t3\.small/);
    const json = (await our.tutti("preview", ["--budget", "50", "--json"])).json();
    expect(json).toMatchObject({
      ok: false,
      error: { code: "over_budget" },
      cost: { budget: 50 },
      nodes: { length: 3 },
    });
    expect(json).toMatchObject({ cost: { dearest: [{ of: "work" }, { of: "lead" }, { of: "run" }] } });
  });

  it("wants an amount", async () => {
    const ran = await our.tutti("preview", ["--budget", "much"]);
    expect(ran).toMatchObject({ code: 64, err: expect.stringMatching(/--budget: "much" is no amount\nhint: dollars/) });
  });
});

describe("the price of a change", { timeout: 120_000 }, () => {
  it("is all of it while nothing stands, with the day of the prices", async () => {
    const { code, out } = await our.tutti("preview", ["--cost"]);
    expect(code).toBe(2);
    expect(out).toMatch(/estimate with prices of \d{4}-\d\d-\d\d, .*; traffic and requests come on top/);
    expect(out).toContain("Compared with what stands:\n  nothing stands yet: all of it is new");
  });

  it("is the difference to what stands, spot and on demand apart", async () => {
    await our.good("up", ["--budget", "200"]);
    await our.edit(spotted);
    const ran = await our.tutti("preview", ["--cost", "--budget", "200"]);
    expect(ran.code).toBe(2);
    expect(ran.out).toMatch(
      /Compared with what stands \(\$\d+\.\d\d\):\n {2}run: 1 × t3\.small → 1 × t3\.small spot +\$/,
    );
    expect(ran.out).toMatch(/machines on demand +-\$\d+\.\d\d\n {2}machines on spot +\+\$\d+\.\d\d/);
    expect(ran.out).toMatch(/within the budget of \$200\.00\n$/);
    expect(ran.out).toMatch(/Roles that are away meanwhile:\n {2}dea {2}away on run-0; 1 of 2 stay/);
    const { total, before, delta, spot } = costOf((await our.tutti("preview", ["--cost", "--json"])).json());
    expect(total).toBeCloseTo(before + delta.total, 2);
    expect([delta.total < 0, delta.spot]).toEqual([true, spot]);
  });
});
