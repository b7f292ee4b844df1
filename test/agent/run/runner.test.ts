import { describe, expect, test } from "vitest";
import { start, stopped } from "../../../agent/run/runner.ts";
import { handRunner } from "../../support/handRunner.ts";
import { until } from "../../support/until.ts";

const settled = (promise: Promise<unknown>) =>
  promise.then(
    () => "done",
    (error: Error) => error.message,
  );

describe("a runner that was started", () => {
  test("tells readiness and end apart", async () => {
    const hand = handRunner("one");
    const running = start(hand);
    await until(() => hand.runs === 1, { what: "it runs" });
    hand.becomeReady();
    await running.ready;
    hand.end(new Error("broken"));
    expect(await settled(running.exited)).toBe("broken");
    expect(await settled(running.ready)).toBe("done");
  });

  test("is never ready when it ends before", async () => {
    const hand = handRunner("one");
    const running = start(hand);
    await until(() => hand.runs === 1, { what: "it runs" });
    hand.end();
    expect(await settled(running.ready)).toBe("one ended before it was ready");
    expect(await settled(running.exited)).toBe("done");
  });

  test("gives the reason of an early death to those who wait for readiness", async () => {
    const running = start({ name: "one", run: () => Promise.reject(new Error("no room")) });
    expect([await settled(running.ready), await settled(running.exited)]).toEqual(["no room", "no room"]);
  });

  test("turns an error thrown at once into a rejection", async () => {
    const running = start({
      name: "one",
      run: () => {
        throw new Error("thrown");
      },
    });
    expect(await settled(running.exited)).toBe("thrown");
  });

  test("stops when asked, may be asked twice, and may have failed meanwhile", async () => {
    const hand = handRunner("one");
    const running = start(hand);
    await Promise.all([running.stop(), running.stop()]);
    await running.stop();
    expect(hand.events.at(-1)).toBe("one ended");
    await start({ name: "bad", run: (stop) => stopped(stop).then(() => Promise.reject(new Error("late"))) }).stop();
  });

  test("may be run again after it ended", async () => {
    const hand = handRunner("one");
    for (let i = 1; i <= 2; i++) {
      const running = start(hand);
      await until(() => hand.runs === i, { what: "it runs" });
      await running.stop();
    }
    expect(hand.runs).toBe(2);
  });
});
