import { describe, expect, it } from "vitest";
import type { DeaFound } from "../../../../agent/bus/messages/instance.ts";
import { instancesToStop, revisionOf, slotsToStart } from "../../../../agent/controller/engine/judge.ts";
import { plan } from "../../../../agent/controller/engine/plan.ts";
import { rollStep, shares } from "../../../../agent/controller/engine/rollStep.ts";
import type { App, Process } from "../../../../agent/controller/records.ts";

const found = (instance: string, index: number, more: Partial<DeaFound> = {}): DeaFound => ({
  ...{ dea: "d", droplet: "p", version: "v", instance, index, state: "RUNNING", state_timestamp: 100 },
  ...more,
});
const process = { guid: "p", version: "v", instances: 2, updated_at: "2012-05-01T19:00:00.900Z" } as Process;
const app = { state: "STARTED" } as App;
const ids = (all: DeaFound[]) => all.map(({ instance }) => instance);

describe("the plan for a process", () => {
  it("starts everything when nothing runs, and nothing when all runs", () => {
    expect(plan(process, [])).toEqual({ start: [0, 1], stop: [] });
    expect(plan(process, [found("a", 0), found("b", 1)])).toEqual({ start: [], stop: [] });
  });

  it("counts a starting instance as there", () => {
    expect(plan(process, [found("a", 0, { state: "STARTING" })]).start).toEqual([1]);
  });

  it("stops other versions and slots beyond the wanted number", () => {
    const { start, stop } = plan(process, [found("old", 0, { version: "u" }), found("high", 2), found("b", 1)]);
    expect([start, ids(stop)]).toEqual([[0], ["high", "old"]]);
  });

  it("keeps the running one of two, then the older, then always the same", () => {
    const starting = found("s", 0, { state: "STARTING", state_timestamp: 1 });
    expect(ids(plan(process, [starting, found("r", 0)]).stop)).toEqual(["s"]);
    expect(ids(plan(process, [found("new", 0, { state_timestamp: 200 }), found("old", 0)]).stop)).toEqual(["new"]);
    expect(ids(plan(process, [found("b", 0), found("a", 0)]).stop)).toEqual(["b"]);
    expect(ids(plan(process, [found("a", 0), found("b", 0)]).stop)).toEqual(["b"]);
  });

  it("replaces an evacuating instance without stopping it", () => {
    expect(plan(process, [found("leaving", 0, { state: "EVACUATING" }), found("b", 1)])).toEqual({
      start: [0],
      stop: [],
    });
  });
});

describe("the judgement of requests", () => {
  const start = {
    op: "START" as const,
    droplet: "p",
    version: "v",
    last_updated: revisionOf(process),
    indices: [0, 1, 2],
  };

  it("compares states by whole seconds", () => {
    expect(revisionOf(process)).toBe(Date.parse("2012-05-01T19:00:00Z") / 1000);
  });

  it("starts wanted slots only", () => {
    expect(slotsToStart(start, process, app)).toEqual([0, 1]);
    expect(slotsToStart({ ...start, indices: undefined }, process, app)).toEqual([]);
    expect(slotsToStart(start, undefined, undefined)).toEqual([]);
  });

  it("stops all of a stopped app that it is asked for", () => {
    const stopped = { process, app: { state: "STOPPED" } as App, found: [found("a", 0), found("b", 1)] };
    expect(ids(instancesToStop({ instances: ["a"], last_updated: 0 }, stopped))).toEqual(["a"]);
  });

  it("stops the younger of two when asked for both, the named one when asked for one", () => {
    const twins = { process, app, found: [found("old", 0), found("new", 0, { state_timestamp: 200 })] };
    const last_updated = revisionOf(process);
    expect(ids(instancesToStop({ instances: ["old", "new"], last_updated }, twins))).toEqual(["new"]);
    expect(ids(instancesToStop({ instances: ["old"], last_updated }, twins))).toEqual(["old"]);
    expect(ids(instancesToStop({ instances: ["old"], last_updated: 1 }, twins))).toEqual([]);
  });
});

describe("the next step of a roll", () => {
  const picture = {
    deployment: { reason: "DEPLOYING" as const, maxInFlight: 2 },
    ...{ started: true, target: 3, fresh: 0, healthy: 0, old: 3, oldHealthy: 3, stuck: 0 },
  };

  it.each([
    ["begins with a few new ones", {}, { do: "grow", fresh: 2 }],
    ["waits until they serve", { fresh: 2, healthy: 1 }, { do: "wait" }],
    ["then stops as many old ones", { fresh: 2, healthy: 2 }, { do: "shrink", old: 1 }],
    ["goes on with the rest", { fresh: 2, healthy: 2, old: 1 }, { do: "grow", fresh: 3 }],
    ["stops the last old one when all new ones serve", { fresh: 3, healthy: 3, old: 1 }, { do: "shrink", old: 0 }],
    ["ends when only new ones are left", { fresh: 3, healthy: 3, old: 0 }, { do: "finish" }],
    ["ends at once for an app of no instances", { target: 0, old: 0 }, { do: "finish" }],
    ["ends at once for a stopped app", { started: false }, { do: "finish" }],
    ["gives up when it has been stuck too long", { fresh: 2, stuck: 601 }, { do: "cancel" }],
  ])("%s", (_title, more, step) => {
    expect(rollStep({ ...picture, ...more })).toEqual(step);
  });

  const back = {
    ...picture,
    deployment: { reason: "CANCELING" as const, maxInFlight: 1 },
    fresh: 2,
    healthy: 2,
    old: 1,
    oldHealthy: 1,
  };
  it.each([
    ["brings the old ones back first", {}, { do: "restore" }],
    ["waits until they serve", { old: 3, oldHealthy: 2 }, { do: "wait" }],
    ["then drops the new ones", { old: 3, oldHealthy: 3 }, { do: "discard" }],
    ["drops them anyway when they hold the room the old ones need", { old: 3, stuck: 31 }, { do: "discard" }],
  ])("when canceled %s", (_title, more, step) => {
    expect(rollStep({ ...back, ...more })).toEqual(step);
  });

  it("takes from the youngest of several old processes first", () => {
    const old = [
      { guid: "middle", created_at: "2", instances: 1 },
      { guid: "first", created_at: "1", instances: 3 },
    ] as Process[];
    expect([...shares(old, 3)]).toEqual([
      ["first", 3],
      ["middle", 0],
    ]);
    expect([...shares(old, 2)]).toEqual([
      ["first", 2],
      ["middle", 0],
    ]);
  });
});
