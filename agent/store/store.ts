import { z } from "zod";
import { StoreConflict } from "./conflict.ts";

/** A value as it stands in the store. `revision` grows with every write of the whole store. */
export interface Entry<T = unknown> {
  readonly key: string;
  readonly value: T;
  readonly revision: number;
}

/** A change seen by a watcher; `value` is undefined when the key was deleted. */
export interface Change<T = unknown> {
  readonly key: string;
  readonly value: T | undefined;
  readonly revision: number;
}

export interface Watching {
  /** Resolves when everything that stood at the beginning has been told. */
  readonly current: Promise<void>;
  stop(): void;
}

/**
 * What the cluster remembers: JSON values under dotted keys (`apps.<guid>`), durable before a write resolves.
 * Keys consist of `[A-Za-z0-9_=-]` tokens joined by dots. Rejects with StoreUnavailable while it cannot be reached.
 */
export interface Store {
  get(key: string): Promise<Entry | undefined>;
  /** Writes whatever stands there. Resolves to the new revision. */
  put(key: string, value: unknown): Promise<number>;
  /** Writes only if the key still has `revision`; 0 = only if it does not exist. Rejects with StoreConflict. */
  compareAndSet(key: string, value: unknown, revision: number): Promise<number>;
  /** Deletes; with `revision` only if the key still has it (else StoreConflict). A key that is not there is no error. */
  delete(key: string, revision?: number): Promise<void>;
  /** All entries whose key begins with the prefix, e.g. `apps.`. */
  list(prefix: string): Promise<Entry[]>;
  /** Tells what stands under the prefix and then every change, in order of revision, across reconnects. */
  watch(prefix: string, onChange: (change: Change) => void): Watching;
}

/** A part of the store whose values have a type. Keys are given without the bucket's name. */
export interface Bucket<T> {
  readonly name: string;
  get(key: string): Promise<Entry<T> | undefined>;
  put(key: string, value: T): Promise<number>;
  /** Rejects with StoreConflict when the key exists. */
  create(key: string, value: T): Promise<number>;
  compareAndSet(key: string, value: T, revision: number): Promise<number>;
  /** Reads, changes and writes until no other writer came between; undefined from `change` leaves it as it is. */
  update(key: string, change: (value: T | undefined) => T | undefined): Promise<Entry<T> | undefined>;
  delete(key: string, revision?: number): Promise<void>;
  list(): Promise<Entry<T>[]>;
  watch(onChange: (change: Change<T>) => void): Watching;
}

/** A typed view of `store` under `name`. Values are parsed on the way in and out; an unreadable one is an error that names its key. */
export function bucket<T>(store: Store, name: string, schema: z.ZodType<T>): Bucket<T> {
  const full = (key: string) => `${name}.${key}`;
  const short = (key: string) => key.slice(name.length + 1);
  const read = (entry: Entry): Entry<T> => ({ ...entry, key: short(entry.key), value: parse(schema, entry) });
  const self: Bucket<T> = {
    name,
    async get(key) {
      const entry = await store.get(full(key));
      return entry && read(entry);
    },
    put: (key, value) => store.put(full(key), value),
    create: (key, value) => store.compareAndSet(full(key), value, 0),
    compareAndSet: (key, value, revision) => store.compareAndSet(full(key), value, revision),
    async update(key, change) {
      for (;;) {
        const old = await self.get(key);
        const value = change(old?.value);
        if (value === undefined) return old;
        try {
          return { key, value, revision: await self.compareAndSet(key, value, old?.revision ?? 0) };
        } catch (error) {
          if (!(error instanceof StoreConflict)) throw error;
        }
      }
    },
    delete: (key, revision) => store.delete(full(key), revision),
    list: async () => (await store.list(`${name}.`)).map(read),
    watch: (onChange) =>
      store.watch(`${name}.`, (change) => {
        const value = change.value === undefined ? undefined : read({ ...change, value: change.value }).value;
        onChange({ key: short(change.key), value, revision: change.revision });
      }),
  };
  return self;
}

function parse<T>(schema: z.ZodType<T>, entry: Entry): T {
  const result = schema.safeParse(entry.value);
  if (result.success) return result.data;
  throw new Error(`the store's ${entry.key} cannot be read: ${z.prettifyError(result.error)}`);
}
