import { readFile, rename, writeFile } from "node:fs/promises";
import type { Endpoint } from "./endpoint.ts";
import type { RouteTable } from "./table.ts";

interface Saved {
  version: 1;
  endpoints: (Endpoint & { names: string[] })[];
}

interface Loading {
  /** Milliseconds. */
  now: number;
  /** Whether those who speak TLS may be in it. */
  secure: boolean;
}

/** Writes the table in one piece: the file holds the old one or the new one, never a half. */
export async function saveTable(path: string, table: RouteTable): Promise<void> {
  const endpoints = [...table.endpoints()].map(({ endpoint, names }) => ({ ...endpoint, names }));
  const saved: Saved = { version: 1, endpoints };
  await writeFile(`${path}.new`, JSON.stringify(saved), { mode: 0o600 });
  await rename(`${path}.new`, path);
}

/**
 * Puts what was saved into the table, counted as heard of just now: the senders repeat themselves within that time, and
 * an app must not go dark because its router was restarted. A missing or damaged file is an empty table.
 */
export async function loadTable(
  path: string,
  table: RouteTable,
  { now, secure }: Loading,
): Promise<string | undefined> {
  try {
    const saved: Saved = JSON.parse(await readFile(path, "utf8"));
    if (saved.version !== 1) return `it is of version ${saved.version}`;
    const usable = saved.endpoints.filter(({ san }) => secure || san === undefined);
    for (const { names, ...endpoint } of usable) table.register(endpoint, names, now);
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT" ? undefined : String(error);
  }
}
