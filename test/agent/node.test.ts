import { afterEach, describe, expect, test } from "vitest";
import { memoryNet } from "../../agent/bus/memory.ts";
import type { NodeBeat } from "../../agent/bus/messages/component.ts";
import { at } from "../../agent/bus/subject.ts";
import { subjects } from "../../agent/bus/subjects.ts";
import type { ComponentState } from "../../agent/host.ts";
import { type IdentityLink, type NodeOptions, node } from "../../agent/node.ts";
import { Fault } from "../../agent/run/fault.ts";
import { type Runner, type Running, start, stopped } from "../../agent/run/runner.ts";
import { parseNode } from "../../roles/node.ts";
import { recordingLog } from "../support/recordingLog.ts";
import { until } from "../support/until.ts";

const running: Running[] = [];
afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

const spec = parseNode(
  JSON.stringify({
    ...{ id: "n-0", cluster: "c", domain: "d.test", roles: ["dea"], address: "127.0.0.1", beat: 20 },
    ...{ home: "/nowhere", tools: "/nowhere", memory: 64, disk: 64 },
    ports: { router: 0, controller: 0, nats: 0, files: 0, instances: { first: 1, last: 2 } },
  }),
);

/** A core as a node meets it. */
function core(net: ReturnType<typeof memoryNet>, wanted: { roles: string[] | undefined }) {
  const bus = net.join();
  const asked: string[] = [];
  const beats: NodeBeat[] = [];
  bus.subscribe(subjects.nodeWish, (_nothing, message) => {
    asked.push(message.subject);
    if (wanted.roles) message.reply({ roles: wanted.roles });
  });
  bus.subscribe(subjects.nodeBeat, (beat) => void beats.push(beat));
  const tell = (roles: string[], id = "n-0") => bus.publish(at(subjects.nodeRoles, { node: id }), { roles });
  return { asked, beats, tell };
}

function begin(more: Partial<NodeOptions> = {}, wanted: { roles: string[] | undefined } = { roles: ["dea"] }) {
  const net = memoryNet();
  const line = net.join();
  const world = core(net, wanted);
  const live = new Set<string>();
  const told: (readonly ComponentState[])[] = [];
  const log = recordingLog();
  const make = (name: string): Runner => ({
    name,
    async run(stop, ready) {
      live.add(name);
      ready();
      await stopped(stop);
      live.delete(name);
    },
  });
  const join = async () => ({ bus: line, close: async () => {} });
  const onState = (states: readonly ComponentState[]) => void told.push(states);
  const self = start(node({ spec, log, version: "1", make, join, onState, ...more }));
  running.push(self);
  const lives = (...names: string[]) =>
    until(() => [...live].sort().join() === names.sort().join(), { what: `${names} live, not ${[...live]}` });
  return { ...world, line, live, told, log, lives, self };
}

describe("what a node should be", () => {
  test("is asked for when it comes to the bus, and it is what it was born as until then", async () => {
    const one = begin({}, { roles: ["dea", "router"] });
    await one.self.ready;
    expect([...one.live]).toEqual(["dea"]);
    await one.lives("dea", "router");
    expect(one.asked).toEqual(["tutti.v1.node.n-0.wish"]);
    await until(() => one.beats.at(-1)?.roles.length === 2, { what: "its beats tell" });
  });

  test("is asked for again as long as nobody answers, ever more seldom", async () => {
    const wanted = { roles: undefined as string[] | undefined };
    const one = begin({}, wanted);
    await until(() => one.asked.length === 2, { what: "it has asked twice" });
    wanted.roles = ["stager"];
    await one.lives("stager");
    expect(one.asked.length).toBeLessThan(5);
  });

  test("is told by the core when it changes", async () => {
    const one = begin();
    await until(() => one.asked.length > 0, { what: "it has asked" });
    one.tell(["dea", "stager"]);
    await one.lives("dea", "stager");
    one.tell(["router"], "n-1");
    one.tell([]);
    await one.lives();
  });

  test("is asked for again when the bus was away: it may have missed a change", async () => {
    const wanted = { roles: ["dea"] };
    const one = begin({}, wanted);
    await until(() => one.asked.length === 1, { what: "it has asked" });
    one.line.disconnect();
    wanted.roles = ["health"];
    one.line.reconnect();
    await one.lives("health");
  });

  test("may be more than this agent knows of: it does what it can, and says so", async () => {
    const one = begin({}, { roles: ["dea", "teleporter"] });
    await until(() => one.log.lines.some((line) => line.includes("teleporter")), { what: "it says so" });
    await one.lives("dea");
  });
});

describe("a node that has to be let in", () => {
  /** An identity that a test plays by hand. */
  function byHand() {
    const hand = { link: undefined as IdentityLink | undefined, ready: () => {}, end: (_error: Error) => {}, runs: 0 };
    const identity = (link: IdentityLink): Runner => ({
      name: "identity",
      async run(stop, ready) {
        const failing = Promise.withResolvers<never>();
        failing.promise.catch(() => {});
        Object.assign(hand, { link, ready, end: failing.reject, runs: hand.runs + 1 });
        await Promise.race([stopped(stop), failing.promise]);
      },
    });
    return { hand, identity };
  }

  test("starts nothing before it is, and shows why", async () => {
    const { hand, identity } = byHand();
    const one = begin({ identity });
    await until(() => hand.link, { what: "it runs" });
    hand.link?.onState({ state: "starting", code: "waiting_for_core", reason: "nobody is there" });
    expect(one.told.at(-1)).toEqual([
      {
        name: "identity",
        since: expect.any(Number),
        state: "starting",
        code: "waiting_for_core",
        reason: "nobody is there",
      },
    ]);
    expect(one.live.size).toBe(0);
    hand.ready();
    hand.link?.onState({ state: "ready" });
    await one.lives("dea");
    await until(() => one.told.at(-1)?.length === 2, { what: "both are shown" });
    expect(one.told.at(-1)).toMatchObject([
      { name: "identity", state: "ready" },
      { name: "dea", state: "ready" },
    ]);
    await until(() => hand.link?.connected(), { what: "it knows that the bus is there" });
    one.line.disconnect();
    expect(hand.link?.connected()).toBe(false);
  });

  test("tries again when it cannot say who it is, and shows what to do", async () => {
    const { hand, identity } = byHand();
    const one = begin({ identity });
    await until(() => hand.runs === 1, { what: "it runs" });
    hand.end(new Fault("node.nk holds no key", { code: "key_unreadable", hint: "move it away" }));
    await until(() => one.told.at(-1)?.[0]?.state === "failing", { what: "it is shown" });
    expect(one.told.at(-1)).toMatchObject([
      { code: "key_unreadable", reason: "node.nk holds no key", hint: "move it away" },
    ]);
    await until(() => hand.runs === 2, { what: "it runs again" });
    hand.ready();
    await one.lives("dea");
  });

  test("ends at once when it is stopped while it waits", async () => {
    const { hand, identity } = byHand();
    const one = begin({ identity });
    await until(() => hand.runs === 1, { what: "it runs" });
    await one.self.stop();
    expect(one.live.size).toBe(0);
  });

  test("goes on working when its identity fails later", async () => {
    const { hand, identity } = byHand();
    const one = begin({ identity });
    await until(() => hand.runs === 1, { what: "it runs" });
    hand.ready();
    await one.lives("dea");
    hand.end(new Error("the disk is away"));
    await until(() => hand.runs === 2, { what: "it runs again" });
    expect([...one.live]).toEqual(["dea"]);
  });
});
