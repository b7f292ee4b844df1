import { StoreConflict } from "./conflict.ts";
import type { Change, Entry, Store } from "./store.ts";

/** A store inside one process: passes the same contract as the JetStream one. */
export function memoryStore(): Store {
  const entries = new Map<string, { json: string; revision: number }>();
  const watchers = new Set<(change: Change) => void>();
  let last = 0;
  const tell = (key: string, json: string | undefined, revision: number) => {
    for (const watcher of watchers)
      watcher({ key, value: json === undefined ? undefined : JSON.parse(json), revision });
  };
  const write = async (key: string, value: unknown) => {
    const json = JSON.stringify(value);
    const revision = ++last;
    entries.set(key, { json, revision });
    tell(key, json, revision);
    return revision;
  };
  const check = (key: string, revision: number | undefined) => {
    if (revision !== undefined && (entries.get(key)?.revision ?? 0) !== revision) throw new StoreConflict(key);
  };
  const under = (prefix: string): Entry[] =>
    [...entries]
      .filter(([key]) => key.startsWith(prefix))
      .map(([key, { json, revision }]) => ({ key, value: JSON.parse(json) as unknown, revision }));
  return {
    async get(key) {
      const entry = entries.get(key);
      return entry && { key, value: JSON.parse(entry.json) as unknown, revision: entry.revision };
    },
    put: write,
    async compareAndSet(key, value, revision) {
      check(key, revision);
      return await write(key, value);
    },
    async delete(key, revision) {
      check(key, revision);
      if (entries.delete(key)) tell(key, undefined, ++last);
    },
    list: async (prefix) => under(prefix),
    watch(prefix, onChange) {
      const watcher = (change: Change) => change.key.startsWith(prefix) && queueMicrotask(() => onChange(change));
      for (const entry of under(prefix).sort((a, b) => a.revision - b.revision)) queueMicrotask(() => onChange(entry));
      watchers.add(watcher);
      return { current: new Promise((resolve) => queueMicrotask(resolve)), stop: () => void watchers.delete(watcher) };
    },
  };
}
