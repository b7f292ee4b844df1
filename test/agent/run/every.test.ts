import { describe, expect, test } from "vitest";
import { every } from "../../../agent/run/every.ts";
import { start } from "../../../agent/run/runner.ts";
import { until } from "../../support/until.ts";

describe("something done every so often", () => {
  test("is done at once, then again and again, and is ready after the first turn", async () => {
    let turns = 0;
    const running = start(every("beat", { interval: 1, onError: () => {} }, () => turns++));
    await running.ready;
    expect(turns).toBeGreaterThan(0);
    await until(() => turns > 5, { what: "more turns" });
    await running.stop();
    const after = turns;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(turns).toBe(after);
  });

  test("goes on after turns that throw or reject, and tells each", async () => {
    const errors: string[] = [];
    let turns = 0;
    const turn = () => {
      if (++turns % 2) throw new Error("thrown");
      return Promise.reject(new Error("rejected"));
    };
    const onError = (error: unknown) => errors.push((error as Error).message);
    const running = start(every("beat", { interval: 1, onError }, turn));
    await running.ready;
    await until(() => errors.length >= 4, { what: "four failed turns" });
    await running.stop();
    expect(errors.slice(0, 4)).toEqual(["thrown", "rejected", "thrown", "rejected"]);
  });

  test("never begins a turn before the last one has ended", async () => {
    let [now, most, turns] = [0, 0, 0];
    const turn = async () => {
      most = Math.max(most, ++now);
      await new Promise((resolve) => setTimeout(resolve, 5));
      now--;
      turns++;
    };
    const running = start(every("beat", { interval: 0, onError: () => {} }, turn));
    await until(() => turns > 3, { what: "some turns" });
    await running.stop();
    expect([most, now]).toEqual([1, 0]);
  });

  test("does not wait for the end of a long interval when it is stopped", async () => {
    const running = start(every("beat", { interval: 60_000, onError: () => {} }, () => {}));
    await running.ready;
    await running.stop();
  });
});
