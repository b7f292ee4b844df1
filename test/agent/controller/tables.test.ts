import { randomUUID } from "node:crypto";
import { afterEach, describe, expect, test, vi } from "vitest";
import { NameTaken } from "../../../agent/controller/names.ts";
import type { Organization } from "../../../agent/controller/records.ts";
import { Gone } from "../../../agent/controller/table.ts";
import { openTables } from "../../../agent/controller/tables.ts";
import { StoreConflict, StoreUnavailable } from "../../../agent/store/conflict.ts";
import { memoryStore } from "../../../agent/store/memory.ts";
import type { Store } from "../../../agent/store/store.ts";

const organization = (name: string, guid: string = randomUUID()): Organization => {
  const at = new Date().toISOString();
  return { guid, created_at: at, updated_at: at, name, suspended: false, metadata: { labels: {}, annotations: {} } };
};

afterEach(() => void vi.useRealTimers());

describe("a name that must be unique", () => {
  test("is given to one of many controllers that want it at the same time", async () => {
    const store = memoryStore();
    const all = await Promise.all(Array.from({ length: 10 }, () => openTables(store)));
    const outcomes = await Promise.allSettled(
      all.map(({ organizations }) => organizations.insert(organization("acme"))),
    );
    expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const outcome of outcomes) if (outcome.status === "rejected") expect(outcome.reason).toBeInstanceOf(NameTaken);
    expect((await store.list("organizations.")).length).toBe(1);
  });

  test("is not taken over while the record of its holder may still be on its way", async () => {
    const store = memoryStore();
    const held = Promise.withResolvers<void>();
    const slow: Store = {
      ...store,
      compareAndSet: async (key, value, revision) => {
        if (key.startsWith("organizations.")) await held.promise;
        return await store.compareAndSet(key, value, revision);
      },
    };
    const [one, other] = [await openTables(slow), await openTables(store)];
    const first = one.organizations.insert(organization("acme"));
    await new Promise((resolve) => setTimeout(resolve, 5));
    await expect(other.organizations.insert(organization("Acme"))).rejects.toBeInstanceOf(NameTaken);
    held.resolve();
    await first;
    expect((await store.list("organizations.")).length).toBe(1);
  });

  test("is free again half a minute after a writer died between its two writes", async () => {
    const store = memoryStore();
    const dying: Store = {
      ...store,
      compareAndSet: async (key, value, revision) => {
        if (key.startsWith("organizations.")) throw new StoreUnavailable("gone in the middle");
        return await store.compareAndSet(key, value, revision);
      },
    };
    const [one, other] = [await openTables(dying), await openTables(store)];
    await expect(one.organizations.insert(organization("acme"))).rejects.toBeInstanceOf(StoreUnavailable);
    await expect(other.organizations.insert(organization("acme"))).rejects.toBeInstanceOf(NameTaken);
    vi.useFakeTimers({ now: Date.now() + 31_000, toFake: ["Date"] });
    await other.organizations.insert(organization("acme"));
    expect(other.organizations.all().map(({ name }) => name)).toEqual(["acme"]);
  });

  test("stays with a record that has it, however old", async () => {
    const { organizations } = await openTables(memoryStore());
    await organizations.insert(organization("acme"));
    vi.useFakeTimers({ now: Date.now() + 3_600_000, toFake: ["Date"] });
    await expect(organizations.insert(organization("ACME"))).rejects.toBeInstanceOf(NameTaken);
  });

  test("is free at once when its record is renamed or deleted", async () => {
    const { organizations } = await openTables(memoryStore());
    const one = await organizations.insert(organization("acme"));
    await organizations.update(one.guid, (old) => ({ ...old, name: "umbrella" }));
    const other = await organizations.insert(organization("acme"));
    await organizations.delete(other.guid);
    await organizations.insert(organization("acme"));
    await expect(organizations.insert(organization("umbrella"))).rejects.toBeInstanceOf(NameTaken);
  });

  test("that is taken leaves the record that wanted it as it was", async () => {
    const { organizations } = await openTables(memoryStore());
    await organizations.insert(organization("acme"));
    const other = await organizations.insert(organization("umbrella"));
    const rename = organizations.update(other.guid, (old) => ({ ...old, name: "acme" }));
    await expect(rename).rejects.toBeInstanceOf(NameTaken);
    expect(organizations.get(other.guid)?.name).toBe("umbrella");
    await expect(organizations.insert(organization("umbrella"))).rejects.toBeInstanceOf(NameTaken);
  });

  test("is won by one of two records that are renamed to it at the same time", async () => {
    const store = memoryStore();
    const [one, two] = [await openTables(store), await openTables(store)];
    const records = [
      await one.organizations.insert(organization("a")),
      await one.organizations.insert(organization("b")),
    ];
    const rename = (at: number) =>
      [one, two][at]?.organizations.update(records[at]?.guid ?? "", (old) => ({ ...old, name: "c" }));
    const outcomes = await Promise.allSettled([rename(0), rename(1)]);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
  });

  test("that was taken over half way through a rename goes back when its holder has another name", async () => {
    const store = memoryStore();
    const { organizations } = await openTables(store);
    const one = await organizations.insert(organization("acme"));
    const dying: Store = {
      ...store,
      compareAndSet: async (key, value, revision) => {
        if (key === `organizations.${one.guid}`) throw new StoreUnavailable("gone in the middle");
        return await store.compareAndSet(key, value, revision);
      },
    };
    const broken = await openTables(dying);
    const rename = broken.organizations.update(one.guid, (old) => ({ ...old, name: "umbrella" }));
    await expect(rename).rejects.toBeInstanceOf(StoreUnavailable);
    vi.useFakeTimers({ now: Date.now() + 31_000, toFake: ["Date"] });
    await organizations.insert(organization("umbrella"));
    await expect(organizations.insert(organization("acme"))).rejects.toBeInstanceOf(NameTaken);
  });
});

describe("a record", () => {
  test("that is inserted twice with the same guid stands once and keeps its name", async () => {
    const store = memoryStore();
    const [one, two] = [await openTables(store), await openTables(store)];
    const guid = randomUUID();
    const inserts = [one, two].map(({ organizations }) => organizations.insert(organization("acme", guid)));
    const outcomes = await Promise.allSettled(inserts);
    const failed = outcomes.filter((one) => one.status === "rejected");
    expect(failed).toHaveLength(1);
    expect(failed[0]?.reason).toBeInstanceOf(StoreConflict);
    await expect(two.organizations.insert(organization("acme"))).rejects.toBeInstanceOf(NameTaken);
  });

  test("is changed by many at the same time without a change being lost", async () => {
    const store = memoryStore();
    const all = await Promise.all(Array.from({ length: 5 }, () => openTables(store)));
    const { guid } = (await all[0]?.organizations.insert(organization("acme"))) ?? { guid: "" };
    const add = (tables: (typeof all)[number], label: string) =>
      tables.organizations.update(guid, (old) => ({
        ...old,
        metadata: { ...old.metadata, labels: { ...old.metadata.labels, [label]: "x" } },
      }));
    await Promise.all(all.flatMap((tables, at) => [add(tables, `a${at}`), add(tables, `b${at}`)]));
    const [entry] = await store.list("organizations.");
    expect(Object.keys((entry?.value as Organization | undefined)?.metadata.labels ?? {})).toHaveLength(10);
  });

  test("of another controller is found although no news of it has come yet", async () => {
    const store = memoryStore();
    const deaf: Store = { ...store, watch: () => ({ current: Promise.resolve(), stop: () => {} }) };
    const [one, other] = [await openTables(store), await openTables(deaf)];
    const { guid } = await one.organizations.insert(organization("acme"));
    expect(other.organizations.get(guid)).toBeUndefined();
    expect((await other.organizations.find(guid))?.name).toBe("acme");
    expect(await other.organizations.find("no such")).toBeUndefined();
    expect(await other.organizations.find("../../etc.passwd")).toBeUndefined();
  });

  test("that is deleted does not come back by news that were under way", async () => {
    const store = memoryStore();
    const { organizations } = await openTables(store);
    const { guid } = await organizations.insert(organization("acme"));
    const updating = organizations.update(guid, (old) => ({ ...old, suspended: true }));
    await updating;
    await organizations.delete(guid);
    await new Promise((resolve) => setTimeout(resolve, 5));
    expect(organizations.get(guid)).toBeUndefined();
    await expect(organizations.update(guid, (old) => old)).rejects.toBeInstanceOf(Gone);
  });
});
