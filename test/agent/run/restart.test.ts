import { getEventListeners } from "node:events";
import { describe, expect, test } from "vitest";
import { restart } from "../../../agent/run/restart.ts";
import { start } from "../../../agent/run/runner.ts";
import { handRunner } from "../../support/handRunner.ts";
import { until } from "../../support/until.ts";

describe("a runner that is restarted", () => {
  test("comes back each time it ends unasked, and is ready only once", async () => {
    const hand = handRunner("one");
    const running = start(restart(hand, { minDelay: 1, maxDelay: 4 }));
    let ready = 0;
    running.ready.then(() => ready++);
    for (let run = 1; run <= 4; run++) {
      await until(() => hand.runs === run, { what: `run ${run}` });
      hand.becomeReady();
      hand.end(run % 2 ? new Error("broken") : undefined);
    }
    await running.stop();
    expect(ready).toBe(1);
    expect(hand.events.at(-1)).toBe("one ended");
  });

  test("waits longer each time it fails early, up to a limit, and tells why", async () => {
    const told: [string | undefined, number][] = [];
    const runner = { name: "bad", run: () => Promise.reject(new Error("no")) };
    const onExit = (error: Error | undefined, delay: number) => told.push([error?.message, delay]);
    const running = start(restart(runner, { minDelay: 1, maxDelay: 6, onExit }));
    await until(() => told.length >= 5, { what: "five failures" });
    await running.stop();
    expect(told.slice(0, 5)).toEqual([1, 2, 4, 6, 6].map((delay) => ["no", delay]));
  });

  test("waits only briefly again after a run that lasted", async () => {
    const delays: number[] = [];
    let runs = 0;
    const runner = {
      name: "moody",
      run: () => new Promise<void>((resolve) => setTimeout(resolve, ++runs === 3 ? 120 : 0)),
    };
    const options = {
      minDelay: 1,
      maxDelay: 64,
      settled: 100,
      onExit: (_: unknown, delay: number) => delays.push(delay),
    };
    const running = start(restart(runner, options));
    await until(() => delays.length >= 4, { what: "four ends" });
    await running.stop();
    expect(delays.slice(0, 4)).toEqual([1, 2, 1, 2]);
  });

  test("stops in the middle of its wait", async () => {
    const runner = { name: "bad", run: () => Promise.reject(new Error("no")) };
    const { promise, resolve } = Promise.withResolvers<void>();
    const running = start(restart(runner, { minDelay: 60_000, maxDelay: 60_000, onExit: () => resolve() }));
    await promise;
    await running.stop();
  });

  test("stops without failing when its runner fails while stopping", async () => {
    const runner = {
      name: "sore loser",
      run: (stop: AbortSignal) =>
        new Promise<void>((_, reject) => stop.addEventListener("abort", () => reject(new Error("late")))),
    };
    const running = start(restart(runner, { minDelay: 1, maxDelay: 1 }));
    await running.stop();
    await expect(running.exited).resolves.toBeUndefined();
  });

  test("leaves nothing on the signal, however often it came back", async () => {
    const controller = new AbortController();
    let runs = 0;
    const runner = { name: "short", run: async () => void runs++ };
    const ended = restart(runner, { minDelay: 0, maxDelay: 0 }).run(controller.signal, () => {});
    await until(() => runs > 50, { what: "fifty runs" });
    expect(getEventListeners(controller.signal, "abort").length).toBeLessThan(3);
    controller.abort();
    await ended;
  });
});
