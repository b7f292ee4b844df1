import { describe, expect, it, vi } from "vitest";
import { attention } from "../../../../agent/controller/engine/attention.ts";
import { deas } from "../../../../agent/controller/engine/deas.ts";
import { allOffers } from "../../../../agent/controller/engine/offers.ts";

const advert = (id: string, more = {}) => ({
  ...{ id, available_memory: 1000, available_disk: 2000, runtimes: [], stacks: [], prod: false },
  ...{ app_id_to_count: {}, placement_properties: { zone: "default" } },
  ...more,
});

describe("the pool of DEAs", () => {
  it("forgets a DEA after ten beats of silence, not before", () => {
    const pool = deas({ beat: 1000 });
    pool.heard(advert("a"), 0);
    expect(pool.alive(10_000)).toHaveLength(1);
    expect(pool.alive(10_001)).toEqual([]);
  });

  it("holds nobody to be dead for the time in which nobody could be heard", () => {
    vi.useFakeTimers({ now: 0 });
    const bus = { connected: true };
    const clock = attention({ bus, beat: 1000 });
    const pass = (ms: number) => {
      vi.advanceTimersByTime(ms);
      clock.tick();
    };
    clock.arrive();
    for (let n = 0; n < 7; n++) pass(1000);
    expect([clock.now(), clock.complete()]).toEqual([7000, true]);
    bus.connected = false;
    pass(60_000);
    expect([clock.now(), clock.complete()]).toEqual([7000, false]);
    bus.connected = true;
    pass(60_000);
    expect(clock.now()).toBe(9000);
    vi.useRealTimers();
  });

  it("corrects its copy at once, and the next advert has the last word", () => {
    const pool = deas({ beat: 1000 });
    const load = { droplet: "p", memory: 300, disk: 100 };
    pool.heard(advert("a"), 0);
    pool.take("a", load);
    expect(pool.get("a")).toMatchObject({ memory: 700, disk: 1900, counts: { p: 1 } });
    expect(pool.count("p", 0)).toBe(1);
    pool.give("a", load);
    expect(pool.get("a")).toMatchObject({ memory: 1000, counts: { p: 0 } });
    pool.heard(advert("a", { available_memory: 5 }), 1);
    expect(pool.get("a")?.memory).toBe(5);
  });

  it("takes a DEA out when it says goodbye", () => {
    const pool = deas({ beat: 1000 });
    pool.heard(advert("a"), 0);
    pool.gone("a");
    pool.take("a", { droplet: "p", memory: 1, disk: 1 });
    expect(pool.alive(0)).toEqual([]);
  });
});

describe("offers", () => {
  it("fill up a terse answer with what was advertised, and keep silent DEAs as closed", () => {
    const pool = deas({ beat: 1000 });
    pool.heard(advert("terse", { app_id_to_count: { p: 2 }, ack: 1 }), 0);
    pool.heard(advert("silent", { placement_properties: { zone: "b" } }), 0);
    const answers = [{ id: "terse", ip: "", port: 0, version: "1" }];
    expect(allOffers(answers, pool.alive(0), { droplet: "p" })).toMatchObject([
      { id: "terse", memory: 1000, count: 2, ack: true, closed: false },
      { id: "silent", zone: "b", closed: true },
    ]);
  });

  it("know a DEA of ours by its full answer before its first advert", () => {
    const answers = [{ id: "new", ip: "", port: 0, version: "1", available_memory: 10 }];
    expect(allOffers(answers, [], { droplet: "p" })).toMatchObject([{ id: "new", memory: 10, ack: true }]);
  });
});
