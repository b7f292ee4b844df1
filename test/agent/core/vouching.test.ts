import { describe, expect, test } from "vitest";
import { holdings } from "../../../agent/core/holdings.ts";
import { pulse } from "../../../agent/core/pulse.ts";
import { relay } from "../../../agent/core/relay.ts";
import { sparing } from "../../../agent/core/sparing.ts";
import { judge, vouched } from "../../../agent/core/vouching.ts";
import { recordingLog } from "../../support/recordingLog.ts";

const clock = () => {
  let time = 0;
  const pass = (ms: number) => {
    time += ms;
  };
  return { now: () => time, pass };
};
const beat = 100;
const of = (...instances: string[]) => instances.map((instance) => ({ instance, droplet: "app" }));
const member = { key: "U", tlsKey: "", instance: "i", address: "10.0.0.5", index: 0, roles: ["dea"], claim: "dea-0.1" };

describe("which DEA holds an instance", () => {
  test("is the one that named it first, for as long as it names it", () => {
    const { now } = clock();
    const held = holdings({ beat, now });
    held.heard("a", of("1", "2"));
    expect(held.holder("1")).toEqual({ dea: "a", droplet: "app" });
    expect(held.conflict("b", of("3", "2"))).toEqual({ instance: "2", droplet: "app" });
    held.heard("b", of("2", "3"));
    expect([held.holder("2")?.dea, held.holder("3")?.dea]).toEqual(["a", "b"]);
    held.heard("a", of("1"));
    expect([held.holder("2"), held.conflict("b", of("2"))]).toEqual([undefined, undefined]);
  });

  test("is nobody once a DEA has been silent for long", () => {
    const { now, pass } = clock();
    const held = holdings({ beat, now });
    held.heard("a", of("1"));
    pass(61 * beat);
    held.heard("b", of("2"));
    expect([held.holder("1"), held.holder("2")?.dea]).toEqual([undefined, "b"]);
  });
});

describe("the end of an instance that nobody has named", () => {
  const row = vouched.get("droplet.exited") ?? { name: "" };
  const payload = { droplet: "app", version: "v", instance: "1", index: 0, reason: "CRASHED" };
  const said = { row, payload, node: "dea-0", member, dea: "a" };

  test("waits until everybody has spoken, and is then believed", () => {
    const { now, pass } = clock();
    const held = holdings({ beat, now });
    expect(judge(said, held)).toBe("wait");
    pass(4 * beat);
    expect(judge(said, held)).toBe("true");
  });

  test("is not believed when another DEA is heard to hold it meanwhile", () => {
    const { now } = clock();
    const held = holdings({ beat, now });
    held.heard("b", of("1"));
    expect(judge(said, held)).toEqual({ false: "it speaks of the DEA b" });
  });
});

test("whoever was shut out speaks of nothing", () => {
  const row = vouched.get("tutti.v1.node") ?? { name: "" };
  const said = { row, payload: { id: "dea-0" }, node: "dea-0", dea: "a" };
  const held = holdings({ beat, now: () => 0 });
  expect(judge({ ...said, member }, held)).toBe("true");
  expect(judge({ ...said, member: { ...member, revoked: 1 } }, held)).toEqual({ false: "it is no member" });
  expect(judge({ ...said, member: undefined }, held)).toEqual({ false: "it is no member" });
  expect(judge({ ...said, member: { ...member, address: "" } }, held)).toBe("true");
});

test("a node lives while it speaks; one that was never heard is given the time to", () => {
  const { now, pass } = clock();
  const heart = pulse({ beat, now });
  expect(heart.alive("a")).toBe(true);
  pass(6 * beat);
  heart.heard("b");
  expect([heart.alive("a"), heart.alive("b")]).toEqual([false, true]);
  pass(6 * beat);
  expect(heart.alive("b")).toBe(false);
});

describe("warnings that a stranger can cause", () => {
  test("are written down a few times, then counted", () => {
    const { now, pass } = clock();
    const log = recordingLog();
    const warn = sparing(log, { most: 2, time: 1000, now });
    for (let i = 0; i < 10; i++) warn({ i }, "no");
    pass(1001);
    warn({ i: 10 }, "no");
    expect(log.lines).toEqual([
      'warn no {"i":0}',
      'warn no {"i":1}',
      'warn and as many warnings of that kind were not written down {"more":8}',
      'warn no {"i":10}',
    ]);
  });

  test("of one kind do not hide those of another", () => {
    const log = recordingLog();
    const say = relay(log, { beat: 1000 });
    for (let i = 0; i < 50; i++)
      say(`[1] 2026/11/23 16:00:00.000000 [ERR] 10.0.0.${i}:5 - cid:${i} - authentication error - Nkey "U${i}"`);
    say("[1] 2026/11/23 16:00:00.000000 [WRN] the disk is full");
    say("[1] 2026/11/23 16:00:00.000000 [WRN] Plaintext passwords detected, use nkeys or bcrypt");
    say("[1] 2026/11/23 16:00:00.000000 [INF] Server is ready");
    expect(log.lines.filter((line) => line.startsWith("warn"))).toHaveLength(6);
    expect(log.lines.join()).toContain("the disk is full");
  });
});
