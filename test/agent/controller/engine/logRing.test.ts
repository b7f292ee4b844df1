import { describe, expect, it } from "vitest";
import { logRing } from "../../../../agent/controller/engine/logRing.ts";

const say = (app: string, ...texts: string[]) => ({
  ...{ app, source: "APP/PROC/WEB", instance: "0" },
  lines: texts.map((text) => ({ at: 1000, text })),
});
const all = { limit: 100_000, descending: false };
const texts = (entries: { text: string }[]) => entries.map(({ text }) => text);

describe("the log of an app", () => {
  it("gives each line a time of its own, in order of arrival, even from clocks that go back", () => {
    const ring = logRing();
    ring.add(say("a", "one", "two"));
    ring.add({ ...say("a"), lines: [{ at: 1, text: "late", err: true }] });
    const entries = ring.read("a", all);
    expect(entries.map(({ at }) => at)).toEqual([1_000_000_000n, 1_000_000_001n, 1_000_000_002n]);
    expect(entries[2]).toMatchObject({ text: "late", err: true, source: "APP/PROC/WEB", instance: "0" });
  });

  it("can be read on from the last time seen, without a gap and without a line twice", () => {
    const ring = logRing();
    ring.add(say("a", "1", "2", "3"));
    const last = ring.read("a", { ...all, limit: 2 }).at(-1)?.at ?? 0n;
    ring.add(say("a", "4"));
    expect(texts(ring.read("a", { ...all, start: last + 1n }))).toEqual(["3", "4"]);
    expect(texts(ring.read("a", { ...all, end: last }))).toEqual(["1"]);
  });

  it("gives the oldest lines going up and the newest going down", () => {
    const ring = logRing();
    ring.add(say("a", "1", "2", "3"));
    expect(texts(ring.read("a", { limit: 2, descending: false }))).toEqual(["1", "2"]);
    expect(texts(ring.read("a", { limit: 2, descending: true }))).toEqual(["3", "2"]);
    expect(ring.read("a", { limit: 0, descending: true })).toEqual([]);
  });

  it("knows no other kind of envelope than LOG", () => {
    const ring = logRing();
    ring.add(say("a", "1"));
    expect(ring.read("a", { ...all, types: ["COUNTER"] })).toEqual([]);
    expect(ring.read("a", { ...all, types: ["LOG", "COUNTER"] })).toHaveLength(1);
  });

  it("keeps the newest lines when an app prints without end", () => {
    const ring = logRing({ lines: 100 });
    for (let n = 0; n < 1000; n++) ring.add(say("a", `${n}`));
    const kept = texts(ring.read("a", all));
    expect([kept.length, kept[0], kept.at(-1)]).toEqual([100, "900", "999"]);
  });

  it("drops the apps that were silent longest when all together are too large", () => {
    const ring = logRing({ bytes: 1000 });
    ring.add(say("quiet", "x".repeat(100)));
    ring.add(say("recent", "x".repeat(100)));
    ring.add(say("loud", ...Array.from({ length: 20 }, (_, n) => `${n}`.repeat(30))));
    expect(ring.read("quiet", all)).toEqual([]);
    expect(ring.read("recent", all)).toEqual([]);
    expect(ring.read("loud", all).length).toBeGreaterThan(0);
    expect(ring.read("loud", all).length).toBeLessThan(20);
  });
});
