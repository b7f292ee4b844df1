import { describe, expect, it } from "vitest";
import { bounded } from "../../../../agent/controller/engine/bounded.ts";
import { fresh } from "../../../../agent/controller/engine/fresh.ts";
import { inTurn } from "../../../../agent/controller/engine/inTurn.ts";

describe("work in turn", () => {
  it("runs one at a time, and calls that find one waiting share it", async () => {
    const turns = inTurn();
    let running = 0;
    let most = 0;
    let done = 0;
    const work = async () => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, 5));
      running--;
      done++;
    };
    const first = turns("a", work);
    await new Promise((resolve) => setTimeout(resolve, 1));
    await Promise.all([first, turns("a", work), turns("a", work), turns("a", work)]);
    expect([most, done]).toEqual([1, 2]);
  });

  it("goes on after work that failed, and keeps keys apart", async () => {
    const turns = inTurn();
    await expect(turns("a", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
    const seen: string[] = [];
    await Promise.all([turns("a", async () => void seen.push("a")), turns("b", async () => void seen.push("b"))]);
    expect(seen.sort()).toEqual(["a", "b"]);
  });
});

describe("bounded work", () => {
  it("keeps the order of results and never does more at once than it may", async () => {
    let running = 0;
    let most = 0;
    const results = await bounded([5, 1, 3, 2, 4], 2, async (ms) => {
      most = Math.max(most, ++running);
      await new Promise((resolve) => setTimeout(resolve, ms));
      running--;
      return ms * 10;
    });
    expect([results, most]).toEqual([[50, 10, 30, 20, 40], 2]);
    expect(await bounded([], 2, async () => 1)).toEqual([]);
  });
});

describe("a shared answer", () => {
  it("is asked for again when it is old, and never kept when it failed", async () => {
    let now = 0;
    let asked = 0;
    const shared = fresh<number>(100, undefined, () => now);
    const ask = async () => ++asked;
    expect([await shared.get("k", ask), await shared.get("k", ask)]).toEqual([1, 1]);
    now = 100;
    expect(await shared.get("k", ask)).toBe(2);
    await expect(shared.get("bad", () => Promise.reject(new Error("no")))).rejects.toThrow();
    expect(await shared.get("bad", ask)).toBe(3);
  });

  it("that is about to change is shared only by those who asked before it came", async () => {
    const shared = fresh<number>(100, (answer) => answer > 1);
    let asked = 0;
    const ask = async () => ++asked;
    expect(await Promise.all([shared.get("k", ask), shared.get("k", ask)])).toEqual([1, 1]);
    expect([await shared.get("k", ask), await shared.get("k", ask)]).toEqual([2, 2]);
  });
});
