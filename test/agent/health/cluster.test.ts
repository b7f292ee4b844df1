import { describe, expect, test } from "vitest";
import { World } from "../../support/health.ts";

const text = (world: World) => world.notices.map(({ text }) => text);

/** A cluster in which so many apps run as they should. */
function running(apps: Record<string, number>, options: ConstructorParameters<typeof World>[0] = {}): World {
  const world = new World(options);
  for (const [droplet, instances] of Object.entries(apps)) world.change(droplet, { instances });
  world.tick(15);
  expect(world.wrong()).toEqual([]);
  expect(world.spoken).toEqual([]);
  return world;
}

describe("a calm cluster", () => {
  test("nothing is asked for while everything runs", () => {
    const world = running({ a: 1, b: 3 });
    world.tick(1000);
    expect(world.spoken).toEqual([]);
  });

  test("a controller that starts what it changes is not fought", () => {
    const world = running({ a: 1 });
    for (const more of [
      { instances: 5 },
      { instances: 2 },
      { version: "v2" },
      { state: "STOPPED" },
      { state: "STARTED" },
    ] as const) {
      world.change("a", more);
      world.tick(20);
    }
    expect(world.wrong()).toEqual([]);
    expect(world.spoken).toEqual([]);
  });

  test("a rolling deployment is two processes that are both wanted, until the old one is gone", () => {
    const world = running({ old: 3 });
    for (let done = 1; done <= 3; done++) {
      world.change("new", { version: "v2", instances: done });
      world.tick(3);
      world.change("old", { instances: 3 - done });
      world.tick(3);
    }
    world.remove("old");
    world.tick(40);
    expect(world.wrong()).toEqual([]);
    expect(world.spoken).toEqual([]);
  });
});

describe("a controller that died before it had done what it wrote down", () => {
  test.each([
    ["an app that was to be started", { instances: 2 }],
    ["an app that was to have more instances", { instances: 4 }],
    ["an app that was to have fewer instances", { instances: 1 }],
    ["an app that was to be stopped", { state: "STOPPED" }],
    ["an app that was to have new code", { version: "v2" }],
  ] as const)("%s comes to what is desired", (_situation, more) => {
    const world = running({ a: 2 });
    world.change("a", more, false);
    world.tick(30);
    expect(world.wrong()).toEqual([]);
  });

  test("an app that was deleted loses its instances, after a while", () => {
    const world = running({ a: 2, b: 1 });
    world.remove("a", false);
    world.tick(11);
    expect(world.stops).toEqual([]);
    world.tick(30);
    expect(world.wrong()).toEqual([]);
  });
});

describe("crashes", () => {
  test("a crashed instance is started again in the same moment", () => {
    const world = running({ a: 1 });
    world.crash(world.running("a")[0]?.instance ?? "");
    expect(world.starts).toEqual([
      { at: world.now, request: { op: "START", droplet: "a", version: "v1", indices: [0], last_updated: 1000 } },
    ]);
    world.tick(3);
    expect(world.wrong()).toEqual([]);
  });

  test("a broken app is started three times at once and then ever more rarely, and never given up", () => {
    const world = running({ a: 1 }, { thresholds: { noise: 0 } });
    world.broken.set("a", 1);
    world.tick(8000);
    const gaps = world.starts.slice(1).map(({ at }, i) => (at - (world.starts[i]?.at ?? 0)) / 1000);
    expect(gaps.slice(0, 9)).toEqual([1, 1, 31, 61, 121, 241, 481, 961, 961]);
    expect(world.starts.slice(3).every(({ request }) => request.flapping)).toBe(true);
    expect(text(world)[0]).toBe("instance 0 crashed (exit status 1), starting it again");
    expect(text(world)[3]).toBe("instance 0 crashed 4 times (exit status 1), next start in 30 s");
  });

  test("a setting gives up after so many crashes, and new code gets a new chance", () => {
    const world = running({ a: 1 }, { thresholds: { giveUp: 2 } });
    world.broken.set("a", 1);
    world.tick(3000);
    expect(world.starts).toHaveLength(2);
    expect(text(world).at(-1)).toContain("given up");
    world.broken.clear();
    world.change("a", { version: "v2" });
    world.tick(5);
    expect(world.wrong()).toEqual([]);
  });

  test("an instance that was up for long enough starts with a clean record", () => {
    const world = running({ a: 1 });
    for (let i = 0; i < 6; i++) {
      world.crash(world.running("a")[0]?.instance ?? "");
      world.tick(600);
    }
    expect(world.starts).toHaveLength(6);
    expect(world.starts.some(({ request }) => request.flapping)).toBe(false);
  });

  test("an app of ten instances that cannot run costs one start at a time and not ten", () => {
    const world = running({ a: 10 });
    world.broken.set("a", 1);
    // The first wave cannot know that it is one: the others still run when the first ends are heard of.
    world.tick(2);
    world.quiet();
    world.tick(200);
    const indices = new Set(world.starts.flatMap(({ request }) => request.indices ?? []));
    expect([...indices]).toEqual([0]);
  });

  test("when it can run again all its instances come back", () => {
    const world = running({ a: 10 });
    world.broken.set("a", 1);
    world.tick(30);
    world.broken.clear();
    world.tick(120);
    expect(world.wrong()).toEqual([]);
  });

  test("an end that was asked for is no crash", () => {
    const world = running({ a: 2 });
    world.change("a", { instances: 1 });
    expect(world.notices).toEqual([]);
    world.tick(30);
    expect(world.spoken).toEqual([]);
  });

  test("an instance that a person has stopped alone is brought back", () => {
    const world = running({ a: 2 });
    world.stopInstance(world.running("a")[1]?.instance ?? "");
    world.tick(2);
    expect(world.starts).toHaveLength(1);
    expect(world.wrong()).toEqual([]);
  });

  test("a report of a crash that got lost is made good by the next heartbeat", () => {
    const world = running({ a: 1 });
    const dea = world.deas.find((one) => one.held.size > 0);
    for (const held of dea?.held.values() ?? []) held.entry = { ...held.entry, state: "CRASHED" };
    world.tick(2);
    expect(world.starts).toHaveLength(1);
    world.tick(3);
    expect(world.wrong()).toEqual([]);
  });
});

describe("DEAs that are lost", () => {
  test("a DEA whose heartbeats stop loses all its instances, and they start elsewhere", () => {
    const world = running({ a: 6, b: 4 });
    world.killDea(0);
    world.tick(3);
    expect(world.starts).toEqual([]);
    world.tick(3);
    expect(world.wrong()).toEqual([]);
    expect(text(world).every((line) => line.includes("is not heard of any more (DEA dea-0)"))).toBe(true);
  });

  test("a DEA that is shut down hands its instances over at once", () => {
    const world = running({ a: 6 });
    world.cut(0, true);
    world.shutdown(0);
    expect(world.running("a")).toHaveLength(6);
  });

  test("a DEA that was only cut off comes back, and the copies are pruned to one each", () => {
    const world = running({ a: 6, b: 3 });
    world.cut(0);
    world.tick(20);
    world.cut(0, true);
    world.tick(2);
    expect(world.stops).toEqual([]);
    world.tick(40);
    expect(world.wrong()).toEqual([]);
  });

  test("most DEAs silent at once is taken for a fault of our own, for a while", () => {
    const world = running({ a: 10 }, { deas: 5 });
    for (const i of [0, 1, 2]) world.cut(i);
    world.tick(10);
    expect(world.spoken).toEqual([]);
    for (const i of [0, 1, 2]) world.cut(i, true);
    world.tick(30);
    expect(world.spoken).toEqual([]);
  });

  test("when they stay silent their instances are started elsewhere after all", () => {
    const world = running({ a: 10 }, { deas: 5 });
    for (const i of [0, 1, 2]) world.killDea(i);
    world.tick(20);
    expect(world.wrong()).toEqual([]);
  });

  test("the only DEA of a cluster restarts and its instances are adopted: nothing is started", () => {
    const world = running({ a: 3 }, { deas: 1 });
    world.cut(0);
    world.tick(60);
    world.cut(0, true);
    world.tick(60);
    expect(world.spoken).toEqual([]);
  });

  test("the only DEA of a cluster comes back empty: everything is started", () => {
    const world = running({ a: 3 }, { deas: 1 });
    world.killDea(0);
    world.tick(60);
    world.dea(0).up = true;
    world.tick(10);
    expect(world.wrong()).toEqual([]);
  });

  test("an evacuating instance is replaced while it still serves", () => {
    const world = running({ a: 1 });
    const dea = world.deas.find((one) => one.held.size > 0);
    for (const held of dea?.held.values() ?? []) held.entry = { ...held.entry, state: "EVACUATING" };
    world.tick(1);
    expect(world.starts).toHaveLength(1);
    world.tick(30);
    expect(world.running("a", ["RUNNING"])).toHaveLength(1);
    expect(world.running("a", ["EVACUATING"])).toHaveLength(1);
    expect(world.spoken).toHaveLength(1);
  });
});

describe("a bus that is away", () => {
  test.each([1, 5, 30, 600])("after %i beats without a bus nothing is restarted", (beats) => {
    const world = running({ a: 5, b: 5 });
    world.bus(false);
    world.tick(beats);
    world.bus(true);
    world.tick(60);
    expect(world.spoken).toEqual([]);
  });

  test("what died meanwhile is found when everybody has had the time to come back", () => {
    const world = running({ a: 5 });
    world.bus(false);
    world.tick(30);
    world.killDea(0);
    world.bus(true);
    world.tick(11);
    expect(world.spoken).toEqual([]);
    world.tick(5);
    expect(world.wrong()).toEqual([]);
  });

  test("an instance that died meanwhile on a DEA that is back is found after three beats", () => {
    const world = running({ a: 5 });
    world.bus(false);
    world.tick(30);
    world.crash(world.running("a")[0]?.instance ?? "");
    world.bus(true);
    world.tick(2);
    expect(world.spoken).toEqual([]);
    world.tick(4);
    expect(world.wrong()).toEqual([]);
  });

  test.each([1, 2])("%i of three DEAs that find back later than we do are not taken for dead", (late) => {
    const world = running({ a: 9 });
    world.bus(false);
    world.tick(60);
    for (let i = 0; i < late; i++) world.cut(i);
    world.bus(true);
    world.tick(9);
    for (let i = 0; i < late; i++) world.cut(i, true);
    world.tick(60);
    expect(world.spoken).toEqual([]);
  });

  test("a bus that comes and goes gives no time to decide anything wrong", () => {
    const world = running({ a: 5 });
    for (let i = 0; i < 40; i++) {
      world.bus(i % 2 === 1);
      world.tick(1 + (i % 3));
    }
    world.bus(true);
    world.tick(40);
    expect(world.spoken).toEqual([]);
  });

  test("a health manager that slept takes nobody for dead", () => {
    const world = running({ a: 5 });
    world.sleepMinds(50);
    world.tick(60);
    expect(world.spoken).toEqual([]);
  });
});

describe("a controller that is away", () => {
  test("with a desired state that is too old nothing is decided", () => {
    const world = running({ a: 5 });
    world.controllerUp = false;
    world.tick(13);
    world.killDea(0);
    world.crash(world.running("a")[0]?.instance ?? "");
    world.tick(60);
    expect(world.spoken).toEqual([]);
    world.controllerUp = true;
    world.tick(10);
    expect(world.wrong()).toEqual([]);
  });

  test("a controller that has forgotten all its apps for a moment stops none", () => {
    const world = running({ a: 5, b: 5 });
    const apps = new Map(world.apps);
    world.apps.clear();
    world.tick(11);
    for (const [droplet, app] of apps) world.apps.set(droplet, app);
    world.tick(60);
    expect(world.spoken).toEqual([]);
  });

  test("a start that nobody obeyed is asked for again, but not every beat", () => {
    const world = running({ a: 1 });
    for (const i of [0, 1, 2]) world.deas[i]?.held.clear();
    for (const i of [0, 1]) world.killDea(i);
    world.dea(2).reachable = true;
    world.place = () => {};
    world.tick(45);
    const gaps = world.starts.slice(1).map(({ at }, i) => (at - (world.starts[i]?.at ?? 0)) / 1000);
    expect(world.starts.length).toBeGreaterThan(1);
    expect(gaps.every((gap) => gap === 20)).toBe(true);
  });
});

describe("health managers that start and change places", () => {
  test("a fresh one decides nothing for three beats, and finds what is missing then", () => {
    const world = running({ a: 3 });
    world.bootMind();
    world.killDea(0);
    world.killDea(1);
    world.dea(2).held.clear();
    world.tick(2);
    expect(world.spoken).toEqual([]);
    world.tick(4);
    expect(world.wrong()).toEqual([]);
  });

  test("a fresh one does not take the DEAs it has not heard yet for dead", () => {
    const world = running({ a: 9 });
    world.cut(1);
    world.cut(2);
    world.bootMind();
    world.tick(1);
    world.cut(1, true);
    world.cut(2, true);
    world.tick(60);
    expect(world.spoken).toEqual([]);
  });

  test("two of them ask once", () => {
    const world = running({ a: 3 }, { minds: 2 });
    world.crash(world.running("a")[0]?.instance ?? "");
    world.tick(5);
    expect(world.starts).toHaveLength(1);
  });

  test("the second takes over from its warm picture, in the same beat", () => {
    const world = running({ a: 3 }, { minds: 2 });
    world.leader = -1;
    world.killDea(0);
    world.tick(10);
    expect(world.spoken).toEqual([]);
    world.leader = 1;
    world.tick(1);
    expect(world.running("a")).toHaveLength(3);
  });

  test("the second knows how often an app has crashed", () => {
    const world = running({ a: 1 }, { minds: 2, thresholds: { noise: 0 } });
    world.broken.set("a", 1);
    world.tick(5);
    world.leader = 1;
    world.quiet();
    world.tick(20);
    expect(world.starts).toEqual([]);
  });
});

describe("limits", () => {
  test("a thousand missing instances are asked for fifty a beat, each app's first instance before any second", () => {
    const world = new World({ deas: 1 });
    for (let i = 0; i < 100; i++) world.change(`app${i}`, { instances: 10 }, false);
    world.tick(14);
    const asked = world.starts.map(({ at, request }) => ({ at, count: request.indices?.length ?? 0 }));
    const perBeat = Map.groupBy(asked, ({ at }) => at);
    for (const same of perBeat.values())
      expect(same.reduce((sum, { count }) => sum + count, 0)).toBeLessThanOrEqual(50);
    const first = world.starts.slice(0, 100).flatMap(({ request }) => request.indices);
    expect(first.every((index) => index === 0)).toBe(true);
    world.tick(30);
    expect(world.wrong()).toEqual([]);
  });

  test("a start that waits in the queue is dropped when its instance is there before", () => {
    const world = new World({ deas: 1 });
    for (let i = 0; i < 70; i++) world.change(`app${i}`, { instances: 1 }, false);
    for (let i = 0; i < 20 && world.starts.length === 0; i++) world.tick(1);
    expect(world.starts).toHaveLength(50);
    for (const { droplet, version } of world.apps.values())
      if (world.running(droplet).length === 0) world.place(droplet, version, 0);
    world.tick(60);
    expect(world.starts).toHaveLength(50);
  });

  test("many stops at once are spread over rounds", () => {
    const world = new World();
    for (let i = 0; i < 60; i++) world.change(`app${i}`, { instances: 5 });
    world.tick(15);
    for (let i = 0; i < 60; i++) world.change(`app${i}`, { state: "STOPPED" }, false);
    const known = 300;
    world.onRequest = () => {};
    world.tick(30);
    const perBeat = Map.groupBy(world.stops, ({ at }) => at);
    expect(perBeat.size).toBeGreaterThan(5);
    for (const same of perBeat.values())
      expect(same.reduce((sum, { request }) => sum + (request.instances?.length ?? 0), 0)).toBeLessThanOrEqual(
        known / 10,
      );
    world.tick(30);
    expect(world.wrong()).toEqual([]);
  });
});
