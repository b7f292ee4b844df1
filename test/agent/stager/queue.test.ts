import { describe, expect, test } from "vitest";
import { queue } from "../../../agent/stager/queue.ts";

/** Work that ends when it is told to. */
function workshop(slots: number, limit: number) {
  const begun: string[] = [];
  const ends = new Map<string, () => void>();
  const work = (item: string) => {
    begun.push(item);
    return new Promise<void>((resolve) => ends.set(item, resolve));
  };
  const finish = async (item: string) => {
    ends.get(item)?.();
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { queue: queue({ slots, limit }, work), begun, finish };
}

describe("a queue", () => {
  test("runs as many at once as there are slots, the rest in order", async () => {
    const { queue: line, begun, finish } = workshop(2, 9);
    for (const item of ["a", "b", "c", "d"]) line.add(item);
    expect([begun, line.running, line.waiting]).toEqual([["a", "b"], 2, 2]);
    await finish("b");
    expect(begun).toEqual(["a", "b", "c"]);
    await finish("a");
    expect(begun).toEqual(["a", "b", "c", "d"]);
  });

  test("refuses what is too much, and takes more when there is room again", async () => {
    const { queue: line, finish } = workshop(1, 1);
    expect(["a", "b", "c"].map((item) => line.add(item))).toEqual([true, true, false]);
    await finish("a");
    expect(line.add("d")).toBe(true);
  });

  test("that is closed gives back what waits and is idle when the last has ended", async () => {
    const { queue: line, begun, finish } = workshop(1, 9);
    for (const item of ["a", "b"]) line.add(item);
    expect(line.close()).toEqual(["b"]);
    expect(line.add("c")).toBe(false);
    const idle = line.idle();
    await finish("a");
    await idle;
    expect(begun).toEqual(["a"]);
  });
});
