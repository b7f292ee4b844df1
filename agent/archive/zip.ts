import { Readable } from "node:stream";
import { BadArchive } from "./bad.ts";
import { checkSizes, content, linkTarget } from "./content.ts";
import { type Directory, openDirectory } from "./directory.ts";
import { type ZipEntry, type ZipLimits, zipLimits } from "./entry.ts";
import { writeEntries } from "./extract.ts";
import type { Header } from "./header.ts";
import { checkName, nameKey } from "./names.ts";
import { pack, type ZipSource } from "./pack.ts";
import { checkTree } from "./tree.ts";

/**
 * What an archive holds, after every byte of it has been looked at: names, links, sizes and checksums are true.
 * Rejects with BadArchive.
 */
export async function inspectZip(path: string, limits: ZipLimits = zipLimits): Promise<ZipEntry[]> {
  return await within(path, limits, async (directory, headers) => {
    for (const header of headers) for await (const _ of content(directory, header));
    return headers.map(shape);
  });
}

/**
 * Unpacks below `directory`, which is made when it is not there (its parent must be). Nothing is written outside,
 * nothing is overwritten, and when the archive is refused on the way everything written is removed again.
 * Rejects with BadArchive, or with the system's error (no room, a file in the way).
 */
export async function extractZip(path: string, directory: string, limits: ZipLimits = zipLimits): Promise<void> {
  await within(path, limits, (open, headers) => writeEntries(open, headers, directory));
}

/** Packs files into a new archive at `path`, which is removed again when a file cannot be read. */
export async function writeZip(path: string, files: AsyncIterable<ZipSource> | Iterable<ZipSource>): Promise<void> {
  await pack(path, files);
}

export interface Merge {
  /** An archive of which every entry is taken. */
  upload?: string;
  /** Files that are added; where both have a name the uploaded one is taken, it is newer. */
  extra: readonly ZipSource[];
}

/** A new archive at `target` of an uploaded one and files known from before. Rejects with BadArchive. */
export async function mergeZip({ upload, extra }: Merge, target: string, limits = zipLimits): Promise<void> {
  for (const { name } of extra) checkName(name, limits.nameLength);
  if (upload === undefined) return await mergeInto(target, [], extra);
  await within(upload, limits, async (directory, headers) => {
    const uploaded = headers.map((header) => packed(directory, header));
    const names = new Set(headers.map(({ name }) => nameKey(name)));
    const added = extra.filter(({ name }) => !names.has(nameKey(name)));
    if (headers.length + added.length > limits.entries)
      throw new BadArchive(
        "too_many",
        `together there are ${headers.length + added.length} files, ${limits.entries} are allowed`,
      );
    checkTree([...headers, ...added.map(planned)]);
    await mergeInto(target, uploaded, added);
  });
}

async function mergeInto(target: string, uploaded: readonly ZipSource[], added: readonly ZipSource[]): Promise<void> {
  if (uploaded.length === 0) checkTree(added.map(planned));
  await pack(target, [...uploaded, ...added]);
}

const planned = ({ name, size = 0, mode }: ZipSource): ZipEntry => ({
  name: name.replace(/\/$/, ""),
  size,
  mode,
  kind: name.endsWith("/") ? "directory" : "file",
});

const typeBits = { file: 0o100000, directory: 0o040000, symlink: 0o120000 };

function packed(directory: Directory, header: Header): ZipSource {
  return {
    name: header.kind === "directory" ? `${header.name}/` : header.name,
    mode: (header.mode || (header.kind === "file" ? 0o644 : 0o755)) | typeBits[header.kind],
    compress: header.raw.isCompressed(),
    open: () => Readable.from(content(directory, header), { objectMode: false }),
  };
}

type Believed<T> = (directory: Directory, headers: readonly Header[]) => Promise<T>;

/** Opens an archive, checks all that can be checked without reading the files, and closes it again. */
async function within<T>(path: string, limits: ZipLimits, use: Believed<T>): Promise<T> {
  const directory = await openDirectory(path, limits);
  try {
    checkSizes(directory.headers, limits);
    const headers: Header[] = [];
    for (const one of directory.headers)
      headers.push(one.kind === "symlink" ? { ...one, target: await linkTarget(directory, one) } : one);
    checkTree(headers);
    return await use(directory, headers);
  } finally {
    await directory.close();
  }
}

function shape({ name, size, mode, kind, target }: Header): ZipEntry {
  return target === undefined ? { name, size, mode, kind } : { name, size, mode, kind, target };
}
