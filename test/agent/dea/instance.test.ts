import { expect, test } from "vitest";
import type { InstanceFilter } from "../../../agent/bus/messages/instance.ts";
import { born, directoryOf, type Instance } from "../../../agent/dea/instance.ts";
import { matches } from "../../../agent/dea/match.ts";
import { exited, heartbeat, registration, type Self } from "../../../agent/dea/payloads.ts";
import { free, refusal, reserved, taint } from "../../../agent/dea/resources.ts";
import { outlived } from "../../../agent/dea/retention.ts";
import { beats, doomed, ended, holds, ready, serves } from "../../../agent/dea/states.ts";
import { startMessage } from "../../support/dea.ts";

const birth = { id: "i1", privateId: "p1", slot: 0, port: 61001, now: 1000 };
const one = (more: Partial<Instance> = {}): Instance => ({
  ...born(startMessage({ uri: "http://x/", sha1: "" }), birth),
  ...more,
});
const end = { status: 1, description: "exited", now: 5000 };
const stop = { reason: "STOPPED" as const, description: "stopped" };
const self: Self = {
  id: "0-ab",
  index: 0,
  address: "10.0.0.1",
  filePort: 1,
  zone: "z",
  stacks: [],
  runtimes: [],
  capacity: { memory: 1024, disk: 1024, instances: 4 },
};

test("an instance starts, runs and crashes", () => {
  const running = ready(one(), 2000);
  expect(running).toMatchObject({ state: "RUNNING", since: 2000, born: 1000 });
  expect(ended(running, end)).toMatchObject({ state: "CRASHED", exit: { reason: "CRASHED", status: 1, at: 5000 } });
});

test("an instance that was asked to stop is STOPPED whatever its status", () => {
  const stopping = doomed(ready(one(), 2000), stop, 3000);
  expect(stopping).toMatchObject({ state: "STOPPING", since: 3000 });
  expect([holds(stopping), beats(stopping), serves(stopping)]).toEqual([true, false, false]);
  expect(ended(stopping, end)).toMatchObject({ state: "STOPPED", exit: { reason: "STOPPED" } });
});

test("readiness that comes after the stop changes nothing", () => {
  const stopping = doomed(one(), stop, 3000);
  expect(ready(stopping, 4000)).toBe(stopping);
});

test("a verdict of ours keeps the state until the process is gone, and gives way to a stop", () => {
  const verdict = { reason: "CRASHED" as const, description: "out of memory" };
  const doomedOne = doomed(ready(one(), 2000), verdict, 3000);
  expect(doomedOne).toMatchObject({ state: "RUNNING", doom: verdict });
  expect(doomed(doomedOne, stop, 4000)).toMatchObject({ state: "STOPPING", doom: stop });
});

test("an end counts once", () => {
  const crashed = ended(one(), end);
  expect(ended(crashed, { ...end, status: 2 })).toBe(crashed);
  expect(doomed(crashed, stop, 1)).toBe(crashed);
});

test("a name is one path component whatever it is", () => {
  expect(directoryOf("../../a b/ü", 0, "i")).toBe("_a_b_-0-i");
  expect(directoryOf("..", 1, "i")).toBe("_-1-i");
  expect(directoryOf("x".repeat(500), 0, "i").length).toBeLessThan(80);
});

const matching: [string, Partial<InstanceFilter>, boolean][] = [
  ["no filter", {}, true],
  ["another app", { droplet: "app-2" }, false],
  ["its version", { version: "v1" }, true],
  ["another version", { version: "v2" }, false],
  ["its id", { instances: ["i1"] }, true],
  ["its id under the other name", { instance_ids: ["i1"] }, true],
  ["its id in one of both lists", { instances: ["i2"], instance_ids: ["i1"] }, true],
  ["an empty list", { instances: [] }, false],
  ["two empty lists", { instances: [], instance_ids: [] }, false],
  ["no index", { indices: [] }, false],
  ["its index and another state", { indices: [0], states: ["RUNNING"] }, false],
  ["everything right", { version: "v1", indices: [0, 1], states: ["STARTING"], instances: ["i1"] }, true],
];
test.each(matching)("a filter with %s", (_what, filter, expected) => {
  expect(matches({ droplet: "app-1", ...filter }, one())).toBe(expected);
});

test("what is held is counted from what lives, so a release can't count twice", () => {
  const capacity = { memory: 1024, disk: 2048, instances: 3 };
  const all = [one(), doomed(one(), stop, 1), ended(one(), end)];
  expect(reserved(all)).toEqual({ memory: 512, disk: 1024, instances: 2 });
  expect(free(capacity, all)).toEqual({ memory: 512, disk: 1024, instances: 1 });
  expect(free({ ...capacity, memory: 100 }, all).memory).toBe(0);
});

test("a start that fits to the last byte is taken", () => {
  const gate = { leaving: false, used: 0.95, threshold: 0.95, runtimes: [], stacks: [] };
  const wanted = { limits: { mem: 100, disk: 100, fds: 1 }, runtime: "anything", stack: "any" };
  expect(refusal(wanted, { memory: 100, disk: 100, instances: 1 }, gate)).toBeUndefined();
  expect(refusal(wanted, { memory: 99, disk: 100, instances: 1 }, gate)).toBe("no_memory");
});

test("the answer to an auction waits longer the fuller the DEA is, but never long", () => {
  expect(taint(0, 0, 1000)).toBe(0);
  expect(taint(2, 500, 1000)).toBe(70);
  expect(taint(100, 1000, 1000)).toBe(250);
});

test("a heartbeat lists what starts, runs and crashed, in whole seconds", () => {
  const states = (["BORN", "STARTING", "RUNNING", "STOPPING", "STOPPED", "CRASHED"] as const).map((state) =>
    one({ state, since: 1999 }),
  );
  const message = heartbeat(self, states);
  expect(message.droplets.map((each) => each.state)).toEqual(["STARTING", "RUNNING", "CRASHED"]);
  expect(message.droplets[0]).toMatchObject({ state_timestamp: 1, cc_partition: "default" });
});

test("only a crash has a crash_timestamp", () => {
  expect(exited(ended(one(), end))).toMatchObject({ reason: "CRASHED", crash_timestamp: 5, exit_status: 1 });
  expect(exited(ended(doomed(one(), stop, 1), end))).not.toHaveProperty("crash_timestamp");
});

test("everything in a registration that a strict router wants as a string is one", () => {
  const message = registration(self, one({ index: 3 }), ["a"]);
  expect(message).toMatchObject({ app: "app-1", private_instance_index: "3" });
  for (const tag of Object.values(message.tags)) expect(tag).toBeTypeOf("string");
});

test("crashes are kept for their time, ten an app, and under pressure the newest only", () => {
  const crash = (id: string, since: number, more: Partial<Instance> = {}) =>
    one({
      id,
      since,
      state: "CRASHED",
      exit: { reason: "CRASHED", status: 1, description: "", told: true, at: since },
      ...more,
    });
  const ids = (list: Instance[], rules: object = {}) =>
    outlived(list, { now: 10_000, lifetime: 5000, used: 0, ...rules }).map((each) => each.id);
  expect(ids([crash("old", 5000), crash("new", 5001)])).toEqual(["old"]);
  expect(ids([crash("a", 9000), crash("b", 9500)], { used: 0.9 })).toEqual(["a"]);
  expect(ids([crash("a", 9000), crash("b", 9500, { droplet: "app-2" })], { used: 0.9 })).toEqual([]);
  expect(ids(Array.from({ length: 12 }, (_, i) => crash(`c${i}`, 9000 + i)))).toEqual(["c1", "c0"]);
  expect(ids([one({ state: "RUNNING", since: 0 })])).toEqual([]);
});
