import { describe, expect, it } from "vitest";
import { type Offer, occupy, place, shortage, type Wanted } from "../../../../agent/controller/engine/place.ts";

const wanted: Wanted = { droplet: "p", memory: 128, disk: 64, stack: "" };
const offer = (id: string, more: Partial<Offer> = {}): Offer => ({
  ...{ id, memory: 1024, disk: 4096, maxMemory: 1024, stacks: [], zone: "default", count: 0, ack: true, closed: false },
  ...more,
});

/** Numbers that look random and are the same in every run. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

describe("choosing a DEA", () => {
  it("takes none that lacks memory, disk or the stack, or that is closed", () => {
    const poor = [
      offer("memory", { memory: 127 }),
      offer("disk", { disk: 63 }),
      offer("stack", { stacks: ["other"] }),
      offer("closed", { closed: true }),
    ];
    expect(place({ ...wanted, stack: "this" }, poor)).toBeUndefined();
    expect(place({ ...wanted, stack: "this" }, [...poor, offer("good", { stacks: ["this"] })])?.id).toBe("good");
  });

  it("takes the exact fit", () => {
    expect(place(wanted, [offer("exact", { memory: 128, disk: 64 })])?.id).toBe("exact");
  });

  it("spreads over zones first, then over DEAs, then takes a free one", () => {
    const offers = [
      offer("a1", { zone: "a", count: 1 }),
      offer("a2", { zone: "a" }),
      offer("b1", { zone: "b", memory: 200 }),
      offer("b2", { zone: "b", memory: 900 }),
    ];
    expect(place(wanted, offers)?.id).toBe("b2");
    expect(place(wanted, offers.slice(0, 2))?.id).toBe("a2");
  });

  it("counts the instances of DEAs that cannot take more when it spreads over zones", () => {
    const offers = [
      offer("full", { zone: "a", count: 3, closed: true }),
      offer("a", { zone: "a" }),
      offer("b", { zone: "b", count: 1 }),
    ];
    expect(place(wanted, offers)?.id).toBe("b");
  });

  it("trusts a DEA that answered without saying how much it has", () => {
    expect(place(wanted, [offer("terse", { memory: undefined, disk: undefined, maxMemory: undefined })])?.id).toBe(
      "terse",
    );
  });

  it("lets chance decide only among DEAs that are about as free", () => {
    const offers = [offer("a", { memory: 1000 }), offer("b", { memory: 950 }), offer("c", { memory: 300 })];
    const chosen = [0, 0.49, 0.51, 0.99].map((roll) => place(wanted, offers, () => roll)?.id);
    expect(chosen).toEqual(["a", "a", "b", "b"]);
  });
});

describe("any batch of instances", () => {
  it.each([1, 2, 3, 4, 5, 6, 7, 8])("never overfills a DEA and stays spread (dice %i)", (seed) => {
    const roll = dice(seed);
    const offers = Array.from({ length: 3 + Math.floor(roll() * 20) }, (_, n) =>
      offer(`dea-${n}`, { memory: Math.floor(roll() * 2048), zone: `zone-${n % 3}` }),
    );
    const before = new Map(offers.map((one) => [one.id, one.memory ?? 0]));
    let placed = 0;
    for (let one = place(wanted, offers, roll); one; one = place(wanted, offers, roll)) {
      const open = offers.filter((each) => (each.memory ?? 0) >= wanted.memory && each.zone === one.zone);
      expect(one.count).toBe(Math.min(...open.map(({ count }) => count)));
      occupy(one, wanted);
      placed++;
    }
    const capacity = [...before.values()].reduce((sum, memory) => sum + Math.floor(memory / wanted.memory), 0);
    expect(placed).toBe(capacity);
    expect(offers.every(({ memory = 0 }) => memory >= 0)).toBe(true);
  });

  it("is the same for the same dice", () => {
    const run = () => {
      const roll = dice(42);
      const offers = Array.from({ length: 10 }, (_, n) => offer(`dea-${n}`));
      return Array.from({ length: 50 }, () => {
        const one = place(wanted, offers, roll);
        if (one) occupy(one, wanted);
        return one?.id;
      });
    };
    expect(run()).toEqual(run());
  });

  it("of ten thousand finds its places on a thousand DEAs", () => {
    const roll = dice(7);
    const offers = Array.from({ length: 1000 }, (_, n) =>
      offer(`dea-${n}`, { memory: 4096, maxMemory: 4096, zone: `z${n % 4}` }),
    );
    for (let n = 0; n < 10_000; n++) {
      const one = place(wanted, offers, roll);
      if (one) occupy(one, wanted);
    }
    expect(Math.max(...offers.map(({ count }) => count))).toBe(10);
    expect(Math.min(...offers.map(({ count }) => count))).toBe(10);
  });
});

describe("the reason why nothing fits", () => {
  it.each([
    [[], "no DEA has answered: is a node with the role dea up?"],
    [[offer("a", { memory: 64 }), offer("b", { memory: 100 })], "no DEA has 128 MiB free: the largest has 100 MiB"],
    [[offer("a", { disk: 1 })], "no DEA has 64 MiB of disk free: the largest has 1 MiB"],
    [[offer("a", { closed: true })], "every DEA that has room refused the instance or did not answer"],
  ])("names what is short", (offers, text) => {
    expect(shortage(wanted, offers)).toBe(text);
  });

  it("names the stack when no DEA has it", () => {
    expect(shortage({ ...wanted, stack: "win" }, [offer("a", { stacks: ["linux"] })])).toBe("no DEA has the stack win");
  });
});
