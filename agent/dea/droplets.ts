import { mkdir, readdir, rename, rm, stat, utimes } from "node:fs/promises";
import { join } from "node:path";
import { download } from "./download.ts";

/** A droplet on this machine. `bytes` is 0 when it was here already. */
export interface Droplet {
  path: string;
  bytes: number;
}

export interface Droplets {
  /** The checked tarball of this SHA-1. Starts of the same droplet share one download. */
  get(sha1: string, uri: string): Promise<Droplet>;
}

export interface DropletsOptions {
  directory: string;
  /** Bytes; the longest unused go first. */
  limit: number;
  stop: AbortSignal;
}

export function droplets({ directory, limit, stop }: DropletsOptions): Droplets {
  const underWay = new Map<string, Promise<Droplet>>();
  const fetchTo = async (path: string, sha1: string, uri: string): Promise<Droplet> => {
    await mkdir(directory, { recursive: true, mode: 0o700 });
    const bytes = await download(uri, { path: `${path}.part`, sha1, stop });
    await rename(`${path}.part`, path);
    await trim(directory, limit, path);
    return { path, bytes };
  };
  return {
    async get(given, uri) {
      const sha1 = given.toLowerCase();
      const path = join(directory, `${sha1}.tgz`);
      const known = underWay.get(sha1);
      if (known) return known;
      const fresh = touched(path).then((there) => (there ? { path, bytes: 0 } : fetchTo(path, sha1, uri)));
      underWay.set(sha1, fresh);
      return fresh.finally(() => underWay.delete(sha1));
    },
  };
}

/** Marks a file as used now; false when it isn't there. */
async function touched(path: string): Promise<boolean> {
  const now = new Date();
  return await utimes(path, now, now).then(
    () => true,
    () => false,
  );
}

async function trim(directory: string, limit: number, keep: string): Promise<void> {
  const paths = (await readdir(directory)).filter((name) => name.endsWith(".tgz")).map((name) => join(directory, name));
  const files = await Promise.all(paths.map(async (path) => ({ path, stat: await stat(path).catch(() => undefined) })));
  let sum = 0;
  for (const { path, stat } of files.toSorted((a, b) => (b.stat?.mtimeMs ?? 0) - (a.stat?.mtimeMs ?? 0))) {
    sum += stat?.size ?? 0;
    if (sum > limit && path !== keep) await rm(path, { force: true });
  }
}
