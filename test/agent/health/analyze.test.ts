import { describe, expect, test } from "vitest";
import type { DropletExited, HeartbeatEntry } from "../../../agent/bus/messages/instance.ts";
import { analyze } from "../../../agent/health/analyze.ts";
import { Picture } from "../../../agent/health/picture.ts";
import { defaults, inMilliseconds } from "../../../agent/health/thresholds.ts";
import { type Desired, Wanted } from "../../../agent/health/wanted.ts";
import { desired, entry, exit, heartbeat } from "../../support/health.ts";

const times = inMilliseconds({ ...defaults, noise: 0 }, 1000);
const now = 1_000_000;
const old = now - 300_000;

/** What stood for long, then what happened, `at` seconds before now. */
interface Situation {
  desired?: Partial<Desired>[];
  unreadable?: string[];
  /** Listed by heartbeats from the given second before now (default 300) until now. */
  listed?: (Partial<HeartbeatEntry> & { from?: number; dea?: string })[];
  exits?: (Partial<DropletExited> & { at: number })[];
  /** Seconds before now at which the desired state was changed or last read. */
  changed?: number;
  read?: number;
  touched?: boolean;
}

function decide({ listed = [], exits = [], unreadable = [], changed, read = 1, touched, ...more }: Situation) {
  const wanted = new Wanted();
  const picture = new Picture(times, () => 0.5);
  const apps = (more.desired ?? [{}]).map((one) => desired(one));
  wanted.accept({ apps: [], unreadable }, { now: old, unix: 0 }, times.stable);
  if (changed === undefined) wanted.accept({ apps, unreadable }, { now: old, unix: 0 }, times.stable);
  const beats = listed.map(({ from = 300, dea = "dea-a", ...one }) => ({ from, dea, entry: entry(one) }));
  for (let ago = 300; ago >= 0; ago--) {
    const at = now - ago * 1000;
    if (ago === changed) wanted.accept({ apps, unreadable }, { now: at, unix: 0 }, times.stable);
    for (const one of exits) if (one.at === ago) picture.exited(exit(one), at);
    const deas = Map.groupBy(
      beats.filter(({ from }) => from >= ago),
      ({ dea }) => dea,
    );
    for (const [dea, all] of deas)
      picture.heartbeat(
        heartbeat(
          all.map((one) => one.entry),
          dea,
        ),
        at,
      );
    const known = changed === undefined || ago <= changed;
    if (known && (ago === read || ago === read + 6 || ago === read + 30)) {
      wanted.accept({ apps, unreadable }, { now: at, unix: 0 }, times.stable);
      picture.compare(
        (droplet) => wanted.get(droplet)?.version ?? (unreadable.includes(droplet) ? "?" : undefined),
        at,
      );
    }
  }
  if (touched) wanted.touched("app", now);
  picture.sweep(now);
  const { decisions } = analyze(wanted, picture, { now, times });
  return decisions.map((one) =>
    one.op === "START" ? `START ${one.index}: ${one.reason}` : `STOP ${one.instances}: ${one.reason}`,
  );
}

const missing = (index: number) => `START ${index}: no instance is heard of`;

describe("starts", () => {
  test.each<[situation: string, Situation, decisions: string[]]>([
    ["everything runs", { listed: [{}] }, []],
    ["an instance is starting: it counts", { listed: [{ state: "STARTING" }] }, []],
    ["nothing was ever heard of the app", {}, [missing(0)]],
    ["one of three is missing", { desired: [{ instances: 3 }], listed: [{}, { index: 2 }] }, [missing(1)]],
    ["all are missing: the first index comes first", { desired: [{ instances: 2 }] }, [missing(0), missing(1)]],
    ["the app is stopped", { desired: [{ state: "STOPPED" }] }, []],
    ["the app has no droplet yet", { desired: [{ staged: false }] }, []],
    ["no instances are wanted", { desired: [{ instances: 0 }] }, []],
    ["only another version runs", { listed: [{ version: "v0" }] }, [missing(0)]],
    ["the app was changed a moment ago: the controller is at it", { changed: 5 }, []],
    ["the app was changed and the controller has had its time", { changed: 15 }, [missing(0)]],
    ["the controller says that it has changed since", { touched: true }, []],
    ["its row cannot be read", { desired: [], unreadable: ["app"] }, []],
    ["an instance only evacuates", { listed: [{ state: "EVACUATING" }] }, ["START 0: its instance is being evacuated"]],
    [
      "an evacuating instance has its replacement",
      { listed: [{ state: "EVACUATING" }, { instance: "new", state: "STARTING" }] },
      [],
    ],
    ["it crashed just now", { exits: [{ at: 0 }] }, ["START 0: it crashed (1 in a row)"]],
    [
      "it crashed and its controller is at work on a change",
      { changed: 2, exits: [{ at: 0 }] },
      ["START 0: it crashed (1 in a row)"],
    ],
    ["its DEA shut down", { exits: [{ at: 0, reason: "DEA_SHUTDOWN" }] }, ["START 0: its DEA gave it up"]],
    ["it was stopped on request", { exits: [{ at: 0, reason: "STOPPED" }] }, [missing(0)]],
    ["another version crashed", { listed: [{}], exits: [{ at: 0, version: "v0", instance: "x" }] }, []],
    ["a copy crashed and the other still runs", { listed: [{}], exits: [{ at: 0, instance: "copy" }] }, []],
    [
      "index 1 crashed and nobody else runs",
      { desired: [{ instances: 2 }], exits: [{ at: 0, index: 1 }] },
      [missing(0)],
    ],
    [
      "index 1 crashed and index 0 runs",
      { desired: [{ instances: 2 }], listed: [{}], exits: [{ at: 0, index: 1 }] },
      ["START 1: it crashed (1 in a row)"],
    ],
    [
      "index 1 crashed and index 0 is only starting",
      { desired: [{ instances: 2 }], listed: [{ state: "STARTING" }], exits: [{ at: 0, index: 1 }] },
      [],
    ],
    [
      "three crashes in a row are restarted at once",
      { exits: [1, 2, 3].map((at) => ({ at, instance: `x${at}` })) },
      ["START 0: it crashed (3 in a row)"],
    ],
    ["the fourth waits", { exits: [1, 2, 3, 4].map((at) => ({ at, instance: `x${at}` })) }, []],
    [
      "the fourth has waited for thirty beats",
      { exits: [31, 32, 33, 34].map((at) => ({ at, instance: `x${at}` })) },
      ["START 0: it crashed (4 in a row)"],
    ],
    ["the fifth waits for sixty", { exits: [31, 32, 33, 34, 35].map((at) => ({ at, instance: `x${at}` })) }, []],
  ])("%s", (_situation, situation, decisions) => {
    expect(decide(situation)).toEqual(decisions);
  });
});

describe("stops", () => {
  const copy = { instance: "copy", dea: "dea-b" };
  test.each<[situation: string, Situation, decisions: string[]]>([
    ["the app is stopped", { desired: [{ state: "STOPPED" }], listed: [{}] }, ["STOP i0: the app is stopped"]],
    ["the app was stopped a moment ago", { desired: [{ state: "STOPPED" }], listed: [{}], changed: 5 }, []],
    ["an index is too high", { listed: [{}, { index: 1 }] }, ["STOP i1: only 1 instances are wanted"]],
    [
      "an old version still runs",
      { listed: [{}, { version: "v0", instance: "o" }] },
      ["STOP o: it runs an old version"],
    ],
    [
      "an old version runs and the new one is missing: first things first",
      { listed: [{ version: "v0" }] },
      [missing(0)],
    ],
    [
      "too many while one is missing: first things first",
      { desired: [{ instances: 2 }], listed: [{}, { index: 5 }] },
      [missing(1)],
    ],
    ["an old version while new code is staged", { desired: [{ staged: false }], listed: [{ version: "v0" }] }, []],
    ["an instance that is younger than what we know", { read: 20, listed: [{}, { index: 1, from: 19 }] }, []],
    [
      "an instance too many that evacuates",
      { listed: [{}, { index: 1, state: "EVACUATING" }] },
      ["STOP i1: only 1 instances are wanted"],
    ],
    ["an instance too many that is on its way out", { listed: [{}, { index: 1, state: "STOPPING" }] }, []],
    ["two in one slot: the younger goes", { listed: [{}, { ...copy, from: 100 }] }, ["STOP copy: index 0 runs twice"]],
    ["two in one slot, one of them seen for two beats only", { listed: [{}, { ...copy, from: 2 }] }, []],
    [
      "two in one slot, the older is still starting",
      { listed: [{ state: "STARTING" }, { ...copy, from: 100 }] },
      ["STOP i0: index 0 runs twice"],
    ],
    ["two in one slot, both still starting", { listed: [{ state: "STARTING" }, { ...copy, state: "STARTING" }] }, []],
    [
      "three in one slot: one goes",
      { listed: [{}, { ...copy, from: 99 }, { instance: "c3", from: 50 }] },
      ["STOP c3: index 0 runs twice"],
    ],
    ["an app that nobody knows, for long", { desired: [], listed: [{}] }, ["STOP i0: no controller knows the app"]],
    ["an app that nobody knows, started lately", { desired: [], listed: [{ from: 8 }] }, []],
    ["an app that nobody knows, and whose row cannot be read", { desired: [], unreadable: ["app"], listed: [{}] }, []],
    ["an app that nobody knows and that has just been announced", { desired: [], listed: [{}], touched: true }, []],
  ])("%s", (_situation, situation, decisions) => {
    expect(decide(situation)).toEqual(decisions);
  });

  test("a stop that was asked for is not asked for again in the next beats", () => {
    const wanted = new Wanted();
    const picture = new Picture(times, () => 0.5);
    wanted.accept({ apps: [desired({ state: "STOPPED" })], unreadable: [] }, { now: old, unix: 999_999 }, times.stable);
    for (let at = now - 20_000; at <= now; at += 1000) picture.heartbeat(heartbeat([entry()]), at);
    wanted.accept({ apps: [desired({ state: "STOPPED" })], unreadable: [] }, { now, unix: 999_999 }, times.stable);
    expect(analyze(wanted, picture, { now, times }).decisions).toHaveLength(1);
    for (const one of picture.app("app").instances.values()) one.stopAsked = now;
    expect(analyze(wanted, picture, { now: now + 9000, times }).decisions).toEqual([]);
    expect(analyze(wanted, picture, { now: now + 10_000, times }).decisions).toHaveLength(1);
  });

  test("one round stops a tenth of all instances at most, and says how many are left", () => {
    const wanted = new Wanted();
    const picture = new Picture(times, () => 0.5);
    const all = Array.from({ length: 250 }, (_, index) => entry({ index, instance: `i${index}` }));
    for (let at = now - 20_000; at < now; at += 1000) picture.heartbeat(heartbeat(all), at);
    wanted.accept({ apps: [desired({ state: "STOPPED" })], unreadable: [] }, { now, unix: 999_999 }, times.stable);
    const { decisions, later } = analyze(wanted, picture, { now, times });
    expect(decisions.flatMap((one) => (one.op === "STOP" ? one.instances : []))).toHaveLength(25);
    expect(later).toBe(225);
  });
});

test("the urgent start goes first: evacuation, then what ended, then first indices, then the rest", () => {
  const apps = ["rest", "first", "ended", "leaving"];
  const situation: Situation = {
    desired: apps.map((droplet) => ({ droplet, instances: droplet === "rest" ? 2 : 1 })),
    listed: [
      { droplet: "rest", instance: "r0" },
      { droplet: "leaving", instance: "l0", state: "EVACUATING" },
    ],
    exits: [{ droplet: "ended", instance: "e0", at: 0 }],
  };
  expect(decide(situation).map((line) => line.split(":")[1]?.trim())).toEqual([
    "its instance is being evacuated",
    "it crashed (1 in a row)",
    "no instance is heard of",
    "no instance is heard of",
  ]);
});
