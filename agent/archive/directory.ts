import { type FileHandle, open } from "node:fs/promises";
import { Readable } from "node:stream";
import yauzl, { type Entry, type ZipFile } from "yauzl";
import { BadArchive, shown } from "./bad.ts";
import type { ZipLimits } from "./entry.ts";
import { type Header, header } from "./header.ts";
import { checkRanges, type Range } from "./ranges.ts";
import { translate } from "./translate.ts";
import { type ReadAt, readWindow } from "./window.ts";

/** An open archive whose list of entries has been read and believed as far as a list can be. */
export interface Directory {
  readonly zip: ZipFile;
  readonly headers: readonly Header[];
  readonly readAt: ReadAt;
  close(): Promise<void>;
}

/** Opens an archive and reads its list. Rejects with BadArchive, or with the system's error when the file cannot be read. */
export async function openDirectory(path: string, limits: ZipLimits): Promise<Directory> {
  // One descriptor for everything: a file that is replaced meanwhile is not half looked at and half unpacked.
  const file = await open(path, "r");
  let zip: ZipFile | undefined;
  const close = async () => {
    zip?.close();
    await file.close();
  };
  try {
    zip = await reader(file);
    return { zip, headers: await readHeaders(zip, file, limits), readAt: readWindow(file), close };
  } catch (error) {
    const why = await translate(error, file);
    await close();
    throw why;
  }
}

async function reader(file: FileHandle): Promise<ZipFile> {
  const { size } = await file.stat();
  // Sizes are checked by us, where the entry's name is known.
  const options = { autoClose: false, decodeStrings: false, validateEntrySizes: false, lazyEntries: true };
  return await yauzl.fromRandomAccessReaderPromise(slices(file), size, options);
}

/** The library's own reader would close the descriptor under streams that are still being torn down. */
function slices(file: FileHandle): yauzl.RandomAccessReader {
  const readAt = readWindow(file);
  class Slices extends yauzl.RandomAccessReader {
    override _readStreamForRange(start: number, end: number) {
      return Readable.from(chunks(file, start, end), { objectMode: false });
    }
    override read(...[buffer, offset, length, position, done]: Parameters<yauzl.RandomAccessReader["read"]>) {
      const told = done as (error: unknown, read?: number) => void;
      readAt(position, length).then((bytes) => told(null, bytes.copy(buffer, offset)), told);
    }
  }
  return new Slices();
}

async function* chunks(file: FileHandle, start: number, end: number): AsyncGenerator<Buffer> {
  const readAt = readWindow(file);
  for (let at = start; at < end; ) {
    const chunk = await readAt(at, Math.min(64 * 1024, end - at));
    if (chunk.length === 0) return;
    at += chunk.length;
    yield chunk;
  }
}

async function readHeaders(zip: ZipFile, file: FileHandle, limits: ZipLimits): Promise<Header[]> {
  if (zip.entryCount > limits.entries)
    throw new BadArchive("too_many", `the archive has ${zip.entryCount} entries, ${limits.entries} are allowed`);
  const begin = cursor(zip);
  const headers: Header[] = [];
  const ranges: Range[] = [];
  const readAt = readWindow(file);
  for await (const entry of zip.eachEntry()) {
    const one = header(entry, limits);
    const range = await rangeOf(entry, one.name, readAt);
    headers.push({ ...one, start: range.end - one.packed });
    ranges.push(range);
  }
  await checkEnd(await readAt(cursor(zip), 4));
  checkRanges(ranges, begin);
  return headers;
}

// The library's types call the cursor a boolean.
const cursor = (zip: ZipFile): number => Number(zip.readEntryCursor);

/** The bytes that belong to an entry, by its local header; the name there must be the one of the list. */
async function rangeOf(entry: Entry, name: string, readAt: ReadAt): Promise<Range> {
  const start = entry.relativeOffsetOfLocalHeader;
  const raw = entry.fileNameRaw;
  const local = await readAt(start, 30 + raw.length);
  if (local.length < 30 + raw.length || local.readUInt32LE(0) !== 0x04034b50)
    throw new BadArchive("damaged", `the archive's list says where ${shown(name)} is, and it is not there`);
  // Programs differ in which of the two names they believe: one of them would see another archive than we do.
  if (local.readUInt16LE(26) !== raw.length || !local.subarray(30).equals(raw))
    throw new BadArchive("damaged", `${shown(name)} has another name in the archive's list than in front of its data`);
  const end = start + 30 + raw.length + local.readUInt16LE(28) + entry.compressedSize;
  return { name, start, end };
}

/** Entries after the last one counted would be seen by other programs only. */
function checkEnd(signature: Buffer): void {
  const next = signature.length === 4 ? signature.readUInt32LE(0) : 0;
  if (next !== 0x06054b50 && next !== 0x06064b50)
    throw new BadArchive("damaged", "the archive's list does not end where it says it ends");
}
