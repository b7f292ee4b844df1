import { createHash } from "node:crypto";
import { z } from "zod";
import { StoreConflict } from "../store/conflict.ts";
import { type Bucket, bucket, type Store } from "../store/store.ts";
import * as records from "./records.ts";

/** A record with that name is there already. `taken` is its guid. */
export class NameTaken extends Error {
  override name = "NameTaken";
  readonly taken: string;
  constructor(table: string, taken: string) {
    super(`the name is taken by another of the ${table}`);
    this.taken = taken;
  }
}

/** The record was deleted meanwhile. */
export class Gone extends Error {
  override name = "Gone";
}

interface Row {
  guid: string;
  updated_at: string;
}

/** One kind of record: kept in the store, read from memory. Every write is compare-and-set on the store's revision. */
export interface Table<T extends Row> {
  get(guid: string): T | undefined;
  all(): T[];
  /** Rejects with NameTaken when a record with the same unique name exists. */
  insert(record: T): Promise<T>;
  /** Changes the newest version of the record; undefined leaves it as it is. Sets `updated_at`. Rejects with Gone or NameTaken. */
  update(guid: string, change: (record: T) => T | undefined): Promise<T>;
  delete(guid: string): Promise<void>;
  onChange(listener: (record: T | undefined, guid: string) => void): () => void;
}

export interface Tables {
  users: Table<records.User>;
  organizations: Table<records.Organization>;
  spaces: Table<records.Space>;
  domains: Table<records.Domain>;
  apps: Table<records.App>;
  processes: Table<records.Process>;
  packages: Table<records.Package>;
  builds: Table<records.Build>;
  droplets: Table<records.Droplet>;
  routes: Table<records.Route>;
  deployments: Table<records.Deployment>;
  jobs: Table<records.Job>;
  events: Table<records.Event>;
  resources: Bucket<records.Resource>;
  license: Bucket<z.output<typeof records.license>>;
  keys: Bucket<z.output<typeof records.keys>>;
  close(): void;
}

/** Opens all tables and resolves when they hold what the store holds. */
export async function openTables(store: Store): Promise<Tables> {
  const opening: Promise<void>[] = [];
  const closing: (() => void)[] = [];
  const open = <T extends Row>(name: string, schema: z.ZodType<T>, unique?: (record: T) => string) => {
    const { table, current, stop } = openTable(store, name, schema, unique);
    opening.push(current);
    closing.push(stop);
    return table;
  };
  const tables: Tables = {
    users: open("users", records.user, (one) => one.username.toLowerCase()),
    organizations: open("organizations", records.organization, (one) => one.name.toLowerCase()),
    spaces: open("spaces", records.space, (one) => `${one.organization}/${one.name.toLowerCase()}`),
    domains: open("domains", records.domain, (one) => one.name.toLowerCase()),
    apps: open("apps", records.app, (one) => `${one.space}/${one.name.toLowerCase()}`),
    processes: open("processes", records.processRecord),
    packages: open("packages", records.packageRecord),
    builds: open("builds", records.build),
    droplets: open("droplets", records.droplet),
    routes: open("routes", records.route, (one) => `${one.host}.${one.domain}${one.path}`.toLowerCase()),
    deployments: open("deployments", records.deployment),
    jobs: open("jobs", records.job),
    events: open("events", records.event),
    resources: bucket(store, "resources", records.resource),
    license: bucket(store, "license", records.license),
    keys: bucket(store, "keys", records.keys),
    close: () => {
      for (const stop of closing) stop();
    },
  };
  await Promise.all(opening);
  return tables;
}

function openTable<T extends Row>(store: Store, name: string, schema: z.ZodType<T>, unique?: (record: T) => string) {
  const rows = bucket(store, name, schema);
  const names = uniqueNames(store, name, rows, unique);
  const cache = new Map<string, { value: T; revision: number }>();
  const dead = new Map<string, number>();
  const listeners = new Set<(record: T | undefined, guid: string) => void>();
  const keep = (guid: string, value: T | undefined, revision: number) => {
    if (revision <= (cache.get(guid)?.revision ?? dead.get(guid) ?? 0)) return;
    if (value) cache.set(guid, { value, revision });
    else if (cache.delete(guid)) dead.set(guid, revision);
    for (const listener of listeners) listener(value, guid);
  };
  const watching = rows.watch(({ key, value, revision }) => keep(key, value, revision));
  const table: Table<T> = {
    get: (guid) => cache.get(guid)?.value,
    all: () => [...cache.values()].map((row) => row.value),
    async insert(record) {
      await names.claim(record);
      keep(record.guid, record, await rows.create(record.guid, record));
      return record;
    },
    async update(guid, change) {
      let before: T | undefined;
      const written = await rows.update(guid, (old) => {
        if (!old) throw new Gone(`${name}: ${guid} is gone`);
        const changed = change(old);
        before = old;
        return changed && { ...changed, updated_at: new Date().toISOString() };
      });
      if (!written) throw new Gone(`${name}: ${guid} is gone`);
      keep(guid, written.value, written.revision);
      if (before) await names.move(before, written.value);
      return written.value;
    },
    async delete(guid) {
      const old = cache.get(guid)?.value;
      await rows.delete(guid);
      if (old) await names.release(old);
      cache.delete(guid);
      dead.set(guid, Number.MAX_SAFE_INTEGER);
      for (const listener of listeners) listener(undefined, guid);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  return { table, current: watching.current, stop: () => watching.stop() };
}

/** Unique names are keys of their own, so that two controllers cannot give one name twice. */
function uniqueNames<T extends Row>(store: Store, table: string, rows: Bucket<T>, unique?: (record: T) => string) {
  const names = bucket(store, `unique.${table}`, z.object({ guid: z.string() }));
  const key = (record: T) => unique && createHash("sha256").update(unique(record)).digest("hex");
  const claim = async (record: T) => {
    const name = key(record);
    if (!name) return;
    const holder = await names.get(name);
    if (holder?.value.guid === record.guid) return;
    // A holder without a record is the trace of a writer that died between its two writes.
    if (holder && (await rows.get(holder.value.guid))) throw new NameTaken(table, holder.value.guid);
    try {
      await names.compareAndSet(name, { guid: record.guid }, holder?.revision ?? 0);
    } catch (error) {
      if (!(error instanceof StoreConflict)) throw error;
      throw new NameTaken(table, (await names.get(name))?.value.guid ?? "");
    }
  };
  const release = async (record: T) => {
    const name = key(record);
    const holder = name ? await names.get(name) : undefined;
    if (name && holder?.value.guid === record.guid) await names.delete(name, holder.revision).catch(() => {});
  };
  const move = async (before: T, after: T) => {
    if (key(before) === key(after)) return;
    await claim(after);
    await release(before);
  };
  return { claim, release, move };
}
