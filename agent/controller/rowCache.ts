/** Rows as one controller knows them. Whatever order news arrive in, an older revision never replaces a newer one. */
export interface RowCache<T> {
  get(guid: string): T | undefined;
  all(): T[];
  /** `value` undefined: the row is deleted. */
  keep(guid: string, value: T | undefined, revision: number): void;
  onChange(listener: (value: T | undefined, guid: string) => void): () => void;
}

/** Deletions remembered against news that arrive late. */
const remembered = 10_000;

export function rowCache<T>(): RowCache<T> {
  const rows = new Map<string, { value: T; revision: number }>();
  const dead = new Map<string, number>();
  const listeners = new Set<(value: T | undefined, guid: string) => void>();
  const bury = (guid: string, revision: number) => {
    rows.delete(guid);
    dead.set(guid, revision);
    const [oldest] = dead.keys();
    if (dead.size > remembered && oldest !== undefined) dead.delete(oldest);
  };
  return {
    get: (guid) => rows.get(guid)?.value,
    all: () => [...rows.values()].map((row) => row.value),
    keep(guid, value, revision) {
      if (revision <= (rows.get(guid)?.revision ?? dead.get(guid) ?? 0)) return;
      if (value) rows.set(guid, { value, revision });
      else bury(guid, revision);
      for (const listener of listeners) listener(value, guid);
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
}
