import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { z } from "zod";
import { StoreConflict } from "../../../agent/store/conflict.ts";
import { bucket, type Change, type Store } from "../../../agent/store/store.ts";
import { until } from "../../support/until.ts";

export interface TestStore {
  store: Store;
  /** The same store as another member of the cluster sees it. */
  other: Store;
  close(): Promise<void>;
}

/** What every store does, whatever is behind it. */
export function storeContract(name: string, open: () => Promise<TestStore>): void {
  describe(`a store (${name})`, () => {
    let opened: TestStore;
    let store: Store;
    let other: Store;
    beforeEach(async () => {
      opened = await open();
      ({ store, other } = opened);
    });
    afterEach(() => opened.close());

    async function watched(prefix: string) {
      const changes: Change[] = [];
      const watching = other.watch(prefix, (change) => changes.push(change));
      await watching.current;
      return { changes, watching };
    }

    test("knows nothing of a key that was never written", async () => {
      expect(await store.get("apps.a")).toBeUndefined();
      await store.delete("apps.a");
      expect(await store.list("apps.")).toEqual([]);
    });

    test("gives back what was put, to every member, with a revision that grows", async () => {
      const first = await store.put("apps.a", { name: "hello", tags: [1, "ü"] });
      const second = await store.put("apps.b-_=", "text");
      expect(second).toBeGreaterThan(first);
      expect(await other.get("apps.a")).toEqual({
        key: "apps.a",
        value: { name: "hello", tags: [1, "ü"] },
        revision: first,
      });
      expect(await other.get("apps.b-_=")).toEqual({ key: "apps.b-_=", value: "text", revision: second });
    });

    test("creates a key only once", async () => {
      await store.compareAndSet("apps.a", 1, 0);
      await expect(other.compareAndSet("apps.a", 2, 0)).rejects.toThrow(StoreConflict);
      expect((await store.get("apps.a"))?.value).toBe(1);
    });

    test("creates a key again after it was deleted", async () => {
      await store.compareAndSet("apps.a", 1, 0);
      await store.delete("apps.a");
      expect(await other.get("apps.a")).toBeUndefined();
      await other.compareAndSet("apps.a", 2, 0);
      expect((await store.get("apps.a"))?.value).toBe(2);
    });

    test("refuses a write that is based on an old revision", async () => {
      const old = await store.put("apps.a", 1);
      const now = await store.compareAndSet("apps.a", 2, old);
      await expect(other.compareAndSet("apps.a", 3, old)).rejects.toThrow(StoreConflict);
      await expect(other.compareAndSet("apps.x", 3, now)).rejects.toThrow(StoreConflict);
      expect(await other.get("apps.a")).toMatchObject({ value: 2, revision: now });
    });

    test("refuses to delete what another writer has changed", async () => {
      const old = await store.put("apps.a", 1);
      const now = await store.put("apps.a", 2);
      await expect(other.delete("apps.a", old)).rejects.toThrow(StoreConflict);
      await other.delete("apps.a", now);
      expect(await store.get("apps.a")).toBeUndefined();
      await expect(store.delete("apps.a", now)).rejects.toThrow(StoreConflict);
    });

    test("refuses to change what was deleted meanwhile", async () => {
      const revision = await store.put("apps.a", 1);
      await other.delete("apps.a");
      await expect(store.compareAndSet("apps.a", 2, revision)).rejects.toThrow(StoreConflict);
    });

    test("lists what stands under a prefix and nothing else", async () => {
      for (const key of ["apps.a", "apps.b.c", "appsx.a", "spaces.a", "apps.gone"]) await store.put(key, key);
      await store.delete("apps.gone");
      const keys = async (prefix: string) => (await other.list(prefix)).map(({ key }) => key).sort();
      expect(await keys("apps.")).toEqual(["apps.a", "apps.b.c"]);
      expect(await keys("apps")).toEqual(["apps.a", "apps.b.c", "appsx.a"]);
      expect(await keys("apps.b.")).toEqual(["apps.b.c"]);
      expect(await keys("none.")).toEqual([]);
      expect(await other.list("spaces.")).toMatchObject([{ key: "spaces.a", value: "spaces.a" }]);
    });

    test("tells a watcher what stands, then each change, in order", async () => {
      await store.put("apps.a", 1);
      await store.put("spaces.a", 1);
      const { changes, watching } = await watched("apps.");
      expect(changes).toMatchObject([{ key: "apps.a", value: 1 }]);
      await store.put("apps.b", 2);
      await store.put("spaces.b", 2);
      await store.put("apps.a", 3);
      await store.delete("apps.b");
      await until(() => changes.length === 4, { what: "all changes were told" });
      expect(changes.slice(1)).toMatchObject([
        { key: "apps.b", value: 2 },
        { key: "apps.a", value: 3 },
        { key: "apps.b", value: undefined },
      ]);
      const revisions = changes.map(({ revision }) => revision);
      expect(revisions).toEqual([...revisions].sort((a, b) => a - b));
      watching.stop();
    });

    test("tells a watcher of an empty prefix at once that it is current", async () => {
      const { changes, watching } = await watched("none.");
      expect(changes).toEqual([]);
      watching.stop();
    });

    test("does not tell a watcher of keys that were deleted before it came", async () => {
      await store.put("apps.a", 1);
      await store.delete("apps.a");
      const { changes, watching } = await watched("apps.");
      expect(changes).toEqual([]);
      watching.stop();
    });

    test("tells nothing more to a watcher that stopped", async () => {
      const stopped = await watched("apps.");
      const running = await watched("apps.");
      stopped.watching.stop();
      await store.put("apps.a", 1);
      await until(() => running.changes.length === 1, { what: "the other was told" });
      expect(stopped.changes).toEqual([]);
      running.watching.stop();
    });

    test("loses no update when several members change the same key at once", async () => {
      const schema = z.object({ count: z.number() });
      const buckets = [store, other].map((one) => bucket(one, "counters", schema));
      const increment = (old?: { count: number }) => ({ count: (old?.count ?? 0) + 1 });
      const updates = Array.from({ length: 20 }, (_, i) => buckets[i % 2]?.update("a", increment));
      await Promise.all(updates);
      expect((await store.get("counters.a"))?.value).toEqual({ count: 20 });
    });

    test("lets exactly one of many create a key", async () => {
      const claims = Array.from({ length: 30 }, (_, i) => (i % 2 ? store : other).compareAndSet("claim", i, 0));
      const results = await Promise.allSettled(claims);
      expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    });

    test("names the key that a typed bucket cannot read", async () => {
      const numbers = bucket(store, "numbers", z.number());
      await store.put("numbers.a", "text");
      await expect(numbers.get("a")).rejects.toThrow("numbers.a");
      await expect(numbers.create("a", 1)).rejects.toThrow(StoreConflict);
      expect(await numbers.update("b", () => undefined)).toBeUndefined();
    });
  });
}
