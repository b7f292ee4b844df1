import type { z } from "zod";
import { StoreConflict } from "../store/conflict.ts";
import { type Bucket, bucket, type Store } from "../store/store.ts";
import { type UniqueNames, uniqueNames } from "./names.ts";
import { type RowCache, rowCache } from "./rowCache.ts";

/** The record was deleted meanwhile. */
export class Gone extends Error {
  override name = "Gone";
}

export interface Row {
  guid: string;
  updated_at: string;
}

/** One kind of record: kept in the store, read from memory. Every write is compare-and-set on the store's revision. */
export interface Table<T extends Row> {
  /** The record as this controller knows it. */
  get(guid: string): T | undefined;
  /** The same, but a record that another controller wrote a moment ago is found too. */
  find(guid: string): Promise<T | undefined>;
  all(): T[];
  /** Rejects with NameTaken when a record with the same unique name exists. */
  insert(record: T): Promise<T>;
  /** Changes the newest version of the record; undefined leaves it as it is. Sets `updated_at`. Rejects with Gone or NameTaken. */
  update(guid: string, change: (record: T) => T | undefined): Promise<T>;
  delete(guid: string): Promise<void>;
  onChange(listener: (record: T | undefined, guid: string) => void): () => void;
}

export interface TableOptions<T> {
  name: string;
  schema: z.ZodType<T>;
  /** What no two records may have in common. */
  unique?: ((record: T) => string) | undefined;
}

interface Parts<T> {
  rows: Bucket<T>;
  names: UniqueNames<T>;
  cache: RowCache<T>;
}

export function openTable<T extends Row>(store: Store, { name, schema, unique }: TableOptions<T>) {
  const rows = bucket(store, name, schema);
  const parts = { rows, names: uniqueNames(store, rows, unique), cache: rowCache<T>() };
  const watching = rows.watch(({ key, value, revision }) => parts.cache.keep(key, value, revision));
  return { table: tableOf(parts), current: watching.current, stop: () => watching.stop() };
}

function tableOf<T extends Row>(parts: Parts<T>): Table<T> {
  const { rows, names, cache } = parts;
  return {
    get: cache.get,
    all: cache.all,
    onChange: cache.onChange,
    async find(guid) {
      const known = cache.get(guid);
      if (known || !/^[\w=-]+$/.test(guid)) return known;
      const entry = await rows.get(guid);
      if (entry) cache.keep(guid, entry.value, entry.revision);
      return cache.get(guid);
    },
    async insert(record) {
      const undo = await names.claim(record);
      const giveBack = async () => {
        // The same record, written by somebody else meanwhile, keeps its name.
        const there = await rows.get(record.guid);
        if (!there || !names.same(there.value, record)) await undo();
      };
      const revision = await rows.create(record.guid, record).catch(undoing(giveBack));
      cache.keep(record.guid, record, revision);
      return record;
    },
    async update(guid, how) {
      for (;;) {
        const outcome = await changeRow(parts, guid, how);
        if (outcome) return outcome;
      }
    },
    async delete(guid) {
      const old = cache.get(guid) ?? (await rows.get(guid))?.value;
      await rows.delete(guid);
      if (old) await names.release(old);
      cache.keep(guid, undefined, Number.MAX_SAFE_INTEGER);
    },
  };
}

/** One attempt; undefined when another writer came between. */
async function changeRow<T extends Row>(
  { rows, names, cache }: Parts<T>,
  guid: string,
  how: (record: T) => T | undefined,
): Promise<T | undefined> {
  const old = await rows.get(guid);
  if (!old) throw new Gone(`${rows.name}: ${guid} is gone`);
  const changed = how(old.value);
  if (!changed) return old.value;
  const value = { ...changed, updated_at: new Date().toISOString() };
  const renamed = !names.same(old.value, value);
  // The new name is taken before the row is written: no row ever stands with a name that is not its own.
  const undo = renamed ? await names.claim(value) : async () => {};
  try {
    const revision = await rows.compareAndSet(guid, value, old.revision).catch(undoing(undo));
    cache.keep(guid, value, revision);
  } catch (error) {
    if (error instanceof StoreConflict) return undefined;
    throw error;
  }
  if (renamed) await names.release(old.value);
  return value;
}

/** A write that was refused gives its name back; of one that was interrupted nobody knows whether it stands. */
function undoing(undo: () => Promise<void>) {
  return async (error: unknown): Promise<never> => {
    if (error instanceof StoreConflict) await undo();
    throw error;
  };
}
