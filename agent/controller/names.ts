import { createHash } from "node:crypto";
import { z } from "zod";
import { StoreConflict } from "../store/conflict.ts";
import { type Bucket, bucket, type Store } from "../store/store.ts";

/** A record with that name is there already. `taken` is its guid. */
export class NameTaken extends Error {
  override name = "NameTaken";
  readonly taken: string;
  constructor(table: string, taken: string) {
    super(`the name is taken by another of the ${table}`);
    this.taken = taken;
  }
}

/**
 * A holder younger than this (ms) may belong to a writer that has claimed the name and not yet written its record;
 * an older one without a record is the trace of a writer that died between its two writes.
 */
const inFlight = 30_000;

const holder = z.object({ guid: z.string(), at: z.number().default(0) });

export interface UniqueNames<T> {
  /** Takes the name of a record, before the record is written. Resolves to what has to be undone if that write fails. */
  claim(record: T): Promise<() => Promise<void>>;
  release(record: T): Promise<void>;
  same(one: T, other: T): boolean;
}

/** Unique names are keys of their own, so that two controllers cannot give one name twice. */
export function uniqueNames<T extends { guid: string }>(
  store: Store,
  rows: Bucket<T>,
  unique: ((record: T) => string) | undefined,
): UniqueNames<T> {
  const names = bucket(store, `unique.${rows.name}`, holder);
  const key = (record: T) => (unique ? createHash("sha256").update(unique(record)).digest("hex") : "");
  const stands = async (guid: string, name: string, at: number) => {
    if (Date.now() - at < inFlight) return true;
    const row = await rows.get(guid);
    return row !== undefined && key(row.value) === name;
  };
  const release = async (record: T) => {
    const name = key(record);
    const held = name ? await names.get(name) : undefined;
    if (held?.value.guid === record.guid) await names.delete(name, held.revision).catch(ignoreConflict);
  };
  const claim = async (record: T) => {
    const name = key(record);
    if (!name) return async () => {};
    const held = await names.get(name);
    if (held?.value.guid === record.guid) return async () => {};
    if (held && (await stands(held.value.guid, name, held.value.at))) throw new NameTaken(rows.name, held.value.guid);
    try {
      await names.compareAndSet(name, { guid: record.guid, at: Date.now() }, held?.revision ?? 0);
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
      const winner = (await names.get(name))?.value.guid ?? "";
      if (winner !== record.guid) throw new NameTaken(rows.name, winner);
      return async () => {};
    }
    return () => release(record);
  };
  return { claim, release, same: (one, other) => key(one) === key(other) };
}

function ignoreConflict(error: unknown): void {
  if (!(error instanceof StoreConflict)) throw error;
}
