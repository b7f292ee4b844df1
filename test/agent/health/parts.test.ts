import { describe, expect, test } from "vitest";
import { analyze } from "../../../agent/health/analyze.ts";
import { healthOf, statusOf } from "../../../agent/health/answers.ts";
import { crashDelay } from "../../../agent/health/backoff.ts";
import type { Start } from "../../../agent/health/decisions.ts";
import { Gate } from "../../../agent/health/gate.ts";
import { Picture } from "../../../agent/health/picture.ts";
import { StartQueue } from "../../../agent/health/queue.ts";
import { startRequests, stopRequest } from "../../../agent/health/requests.ts";
import { defaults, inMilliseconds } from "../../../agent/health/thresholds.ts";
import { Wanted } from "../../../agent/health/wanted.ts";
import { desired, entry, exit, heartbeat } from "../../support/health.ts";

const times = inMilliseconds(defaults, 1000);

describe("the delay after a crash", () => {
  test("three for free, then doubled from 30 beats to 960 beats, for ever", () => {
    const delays = Array.from({ length: 14 }, (_, i) => crashDelay(i + 1, { ...defaults, noise: 0 }, 0));
    expect(delays).toEqual([0, 0, 0, 30, 60, 120, 240, 480, 960, 960, 960, 960, 960, 960]);
    expect(crashDelay(100_000, { ...defaults, noise: 0 }, 0)).toBe(960);
  });

  test("noise spreads it by a tenth in both directions", () => {
    expect(crashDelay(4, defaults, 0)).toBeCloseTo(27);
    expect(crashDelay(4, defaults, 0.999_999)).toBeCloseTo(33);
  });

  test("with a number to give up at it ends", () => {
    expect(crashDelay(4, { ...defaults, giveUp: 4 }, 0)).toBeLessThan(60);
    expect(crashDelay(5, { ...defaults, giveUp: 4 }, 0)).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("the gate", () => {
  const hearing = (deas: ReadonlyMap<string, number>) => ({ deas, holders: () => new Set(deas.keys()) });
  const open = (deas: Record<string, number> = { a: 0 }) => {
    const gate = new Gate(times, 1000, { now: 0, connected: true });
    const known = new Map(Object.entries(deas));
    return {
      gate,
      closed: (now: number, desired: number | undefined = now) =>
        gate.closed(now, { hearing: hearing(known), desired }),
    };
  };
  const live = (gate: Gate, from: number, to: number) => {
    let gap = 0;
    for (let now = from; now <= to; now += 1000) gap += gate.pulse(now) + gate.heard(now);
    return gap;
  };

  test("is closed until heartbeats have come for three beats and the desired state was read", () => {
    const { gate, closed } = open({ a: 4000 });
    expect(closed(0)).toBe("no DEA sends heartbeats");
    live(gate, 1000, 3000);
    expect(closed(3000)).toBe("the bus has been there for too short a time");
    live(gate, 4000, 4000);
    expect(gate.closed(4000, { hearing: hearing(new Map([["a", 4000]])), desired: undefined })).toContain(
      "not been read",
    );
    expect(closed(4000)).toBeUndefined();
  });

  test("closes when the desired state grows too old", () => {
    const { gate, closed } = open({ a: 20_000 });
    live(gate, 1000, 20_000);
    expect(closed(20_000, 8000)).toBeUndefined();
    expect(closed(20_000, 7999)).toBe("the desired state is too old");
  });

  test("closes while the bus is away and for three beats after, and tells how long it was away", () => {
    const { gate, closed } = open({ a: 80_000 });
    live(gate, 1000, 10_000);
    gate.lost(10_500);
    for (let now = 11_000; now <= 70_000; now += 1000) gate.pulse(now);
    expect(closed(70_000)).toBe("the bus is away");
    expect(gate.back(70_500)).toBe(60_000);
    expect(live(gate, 71_000, 73_000)).toBe(0);
    expect(closed(73_000)).toContain("too short");
    live(gate, 74_000, 80_000);
    expect(closed(80_000)).toBeUndefined();
  });

  test("takes a process that slept for more than two beats for one that was away", () => {
    const { gate } = open();
    live(gate, 1000, 10_000);
    expect(gate.pulse(13_000)).toBe(0);
    expect(gate.pulse(20_000)).toBe(6000);
  });

  test("takes a silence of all DEAs for its own deafness", () => {
    const { gate } = open();
    live(gate, 1000, 10_000);
    for (let now = 11_000; now <= 30_000; now += 1000) gate.pulse(now);
    expect(gate.silent(30_000)).toBe(true);
    expect(gate.heard(30_000)).toBe(20_000);
  });

  test("closes while fewer than half of the DEAs are heard", () => {
    const { gate } = open();
    live(gate, 1000, 10_000);
    const deas = (...seen: number[]) => hearing(new Map(seen.map((at, i) => [`dea-${i}`, at])));
    expect(gate.deaf(10_000, deas(10_000, 1000, 1000))).toBe("only 1 of 3 DEAs are heard");
    expect(gate.deaf(10_000, deas(10_000, 1000))).toBeUndefined();
  });
});

describe("the queue of starts", () => {
  const start = (index: number, priority = 1): Start => {
    return { op: "START", droplet: "app", version: "v1", index, priority, reason: "", flapping: false };
  };

  test("lets so many go in a beat, the urgent first", () => {
    const queue = new StartQueue(2);
    for (const one of [start(0), start(1, 3), start(2, 2)]) queue.offer(one);
    expect(queue.take(() => true).map(({ index }) => index)).toEqual([1, 2]);
    expect(queue.take(() => true)).toEqual([]);
    queue.refill();
    expect(queue.take(() => true).map(({ index }) => index)).toEqual([0]);
  });

  test("holds each slot once, with its highest priority", () => {
    const queue = new StartQueue(10);
    for (const one of [start(0), start(0, 3), start(0, 2)]) queue.offer(one);
    expect(queue.take(() => true)).toEqual([start(0, 3)]);
  });

  test("drops what is no longer right when its turn comes, at no cost", () => {
    const queue = new StartQueue(1);
    for (const one of [start(0, 2), start(1)]) queue.offer(one);
    expect(queue.take(({ index }) => index === 1)).toHaveLength(1);
    expect(queue.length).toBe(0);
  });
});

describe("requests", () => {
  const wanted = new Wanted();
  wanted.accept({ apps: [desired({ updatedAt: 77 })], unreadable: [] }, { now: 0, unix: 100 }, 0);

  test("starts of an app become one request with its fence; delayed ones are marked", () => {
    const one = { op: "START", droplet: "app", version: "v1", priority: 1, reason: "" } as const;
    const starts = [2, 0].map((index) => ({ ...one, index, flapping: false }));
    expect(startRequests([...starts, { ...one, index: 1, flapping: true }], wanted)).toEqual([
      { op: "START", droplet: "app", last_updated: 77, version: "v1", indices: [0, 2] },
      { op: "START", droplet: "app", last_updated: 77, version: "v1", indices: [1], flapping: true },
    ]);
  });

  test("stops carry the fence of what is desired, and none for an app nobody knows", () => {
    const stop = { op: "STOP", instances: ["x"], reason: "" } as const;
    expect(stopRequest({ ...stop, droplet: "app", version: "v1" }, wanted)).toMatchObject({ last_updated: 77 });
    expect(stopRequest({ ...stop, droplet: "gone", version: undefined }, wanted)).toEqual({
      op: "STOP",
      droplet: "gone",
      last_updated: 0,
      instances: ["x"],
    });
  });
});

describe("the picture", () => {
  const picture = () => new Picture(times, () => 0.5);

  test("a partial heartbeat is no news about what it does not list", () => {
    const one = picture();
    one.heartbeat(heartbeat([entry(), entry({ index: 1 })]), 0);
    one.heartbeat(heartbeat([entry()]), 2000);
    expect(one.sweep(3000)).toEqual([]);
    expect(one.sweep(3001).map(({ index }) => index)).toEqual([1]);
  });

  test("a time in which we could not hear is taken out of all clocks, and never puts one into the future", () => {
    const one = picture();
    one.heartbeat(heartbeat([entry(), entry({ index: 1, state: "CRASHED" })]), 0);
    one.shift(60_000, 60_000);
    one.shift(60_000, 60_000);
    one.forgetDeas(63_000);
    expect(one.sweep(63_000)).toEqual([]);
    expect([one.deas.size, one.app("app").crashes.size]).toEqual([1, 1]);
    expect(one.sweep(63_001)).toHaveLength(1);
  });

  test("an app is called unknown by two complete runs in a row, and known again by one", () => {
    const one = picture();
    one.heartbeat(heartbeat([entry()]), 0);
    const wanted = new Wanted();
    const stops = () => analyze(wanted, one, { now: 40_000, times }).decisions.length;
    wanted.accept({ apps: [], unreadable: [] }, { now: 20_000, unix: 0 }, 0);
    for (const [version, expected] of [
      [undefined, 0],
      [undefined, 1],
      ["v1", 0],
      [undefined, 0],
    ] as const) {
      one.compare(() => version, 20_000);
      expect(stops()).toBe(expected);
    }
  });

  test("a heartbeat made before an end does not raise the dead", () => {
    const one = picture();
    one.heartbeat(heartbeat([entry()]), 0);
    one.exited(exit(), 100);
    one.heartbeat(heartbeat([entry()]), 110);
    expect(one.app("app").instances.size).toBe(0);
  });

  test("a crash is counted once, whether its report or the heartbeat comes first", () => {
    const first = picture();
    first.heartbeat(heartbeat([entry()]), 0);
    first.exited(exit(), 100);
    first.heartbeat(heartbeat([entry({ state: "CRASHED" })]), 200);
    const second = picture();
    second.heartbeat(heartbeat([entry()]), 0);
    second.heartbeat(heartbeat([entry({ state: "CRASHED" })]), 100);
    second.exited(exit(), 200);
    for (const one of [first, second]) expect(one.slot("app", "v1", 0).crashes).toBe(1);
  });

  test("crashes that a DEA still keeps are known to a fresh picture, and count for nothing", () => {
    const one = picture();
    one.heartbeat(heartbeat([entry({ state: "CRASHED", state_timestamp: 42 })]), 0);
    expect(one.app("app").crashes.get("i0")).toMatchObject({ since: 42 });
    expect(one.app("app").slots.size).toBe(0);
    one.sweep(30_001);
    expect(one.apps.size).toBe(0);
  });

  test("old slots, apps and DEAs are forgotten: a long life does not grow", () => {
    const one = picture();
    for (let i = 0; i < 1000; i++) {
      one.heartbeat(heartbeat([entry({ droplet: `app${i}`, instance: `x${i}` })], `dea-${i}`), i * 1000);
      one.exited(exit({ droplet: `app${i}`, instance: `x${i}` }), i * 1000);
    }
    one.sweep(5_000_000);
    one.forgetDeas(5_000_000);
    expect([one.apps.size, one.deas.size]).toEqual([0, 0]);
  });
});

describe("answers to the controller", () => {
  const one = new Picture(times, () => 0.5);
  one.heartbeat(heartbeat([entry(), entry({ index: 1 }), entry({ index: 2, state: "STARTING" })]), 0);
  for (const crash of [1, 2, 3, 4]) one.exited(exit({ index: 3, instance: `c${crash}`, crash_timestamp: crash }), 0);

  test("healthy counts running instances of that version; of unknown apps nothing is said", () => {
    const droplets = [
      { droplet: "app", version: "v1" },
      { droplet: "app", version: "v0" },
      { droplet: "none", version: "v1" },
    ];
    expect(healthOf({ droplets }, one.apps)).toEqual([
      { droplet: "app", version: "v1", healthy: 2 },
      { droplet: "app", version: "v0", healthy: 0 },
    ]);
  });

  test("flapping slots are told with the time of the last crash", () => {
    const answer = statusOf({ droplet: "app", version: "v1", state: "FLAPPING" }, one.apps, times);
    expect(answer).toEqual({ indices: [{ index: 3, since: 4 }] });
  });

  test("known crashes are told with the time the DEA reported", () => {
    const answer = statusOf({ droplet: "app", state: "CRASHED" }, one.apps, times);
    expect(answer?.instances).toEqual([1, 2, 3, 4].map((since) => ({ instance: `c${since}`, since })));
  });

  test("an unknown app or another state is met with silence", () => {
    expect(statusOf({ droplet: "none", state: "CRASHED" }, one.apps, times)).toBeUndefined();
    expect(statusOf({ droplet: "app", state: "DOWN" }, one.apps, times)).toBeUndefined();
  });
});
