import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { ZipEntry } from "../../archive/entry.ts";
import { extractZip } from "../../archive/zip.ts";
import type { Api } from "./api.ts";
import { isFull } from "./asApiError.ts";
import { smallest } from "./resources.ts";

/** Bytes: a file larger than this would be kept twice for the sake of one push. */
const largest = 512 * 1024 ** 2;

/** Files of one upload that are kept: an app of thousands of large files would fill the store with its first push. */
const most = 500;

/**
 * Keeps the larger files of an upload as blobs of their own, so that the next push need not send them again. It only
 * saves time: when there is no room for it, it is left out.
 */
export async function learnResources(
  api: Api,
  { path, entries }: { path: string; entries: readonly ZipEntry[] },
  directory: string,
): Promise<void> {
  const large = entries
    .filter(({ kind, size }) => kind === "file" && size >= smallest && size <= largest)
    .slice(0, most);
  if (large.length === 0) return;
  const files = join(directory, "files");
  try {
    await extractZip(path, files);
    for (const { name, size } of large) await learn(api, join(files, name), size);
  } catch (error) {
    if (!isFull(error)) throw error;
    api.log.warn({ error: String(error) }, "No room to keep files of an upload: the next push sends all of them again");
  } finally {
    await rm(files, { recursive: true, force: true });
  }
}

async function learn({ tables, blobs }: Api, path: string, size: number): Promise<void> {
  const hash = createHash("sha1");
  await pipeline(createReadStream(path), hash);
  const sha1 = hash.digest("hex");
  const known = await tables.resources.get(sha1);
  if (known && (await blobs.has(known.value.sha256))) return;
  const { sha256 } = await blobs.put(createReadStream(path));
  await tables.resources.put(sha1, { sha256, size });
}
