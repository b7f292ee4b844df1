import type { Readable } from "node:stream";
import { crc32, inflateRawSync } from "node:zlib";
import { BadArchive, shown } from "./bad.ts";
import type { Directory } from "./directory.ts";
import { ratioFloor, type ZipLimits } from "./entry.ts";
import { decoded, type Header } from "./header.ts";

/** Refuses what would unpack to too much, by what the list says. That the list tells the truth is checked while reading. */
export function checkSizes(headers: readonly Header[], limits: ZipLimits): void {
  const total = headers.reduce((sum, one) => sum + one.size, 0);
  const packed = headers.reduce((sum, one) => sum + one.packed, 0);
  if (total > limits.bytes) {
    const largest = headers.reduce((a, b) => (b.size > a.size ? b : a));
    const reason = `unpacked it would be ${total} bytes, ${limits.bytes} are allowed; the largest is ${shown(largest.name)}`;
    throw new BadArchive("too_big", reason);
  }
  if (total > ratioFloor && total > packed * limits.ratio) {
    const densest = headers.reduce((a, b) => (b.size - b.packed > a.size - a.packed ? b : a));
    const reason = `${packed} bytes unpack to ${total}, most of it ${shown(densest.name)}: that is a bomb`;
    throw new BadArchive("bomb", reason);
  }
}

/** Up to here an entry is read in one piece: an app is thousands of small files, and streams are slow to set up. */
const small = 256 * 1024;

/** The unpacked bytes of an entry, counted and summed: fails with BadArchive at the first byte more than the list says. */
export async function* content(directory: Directory, header: Header): AsyncGenerator<Buffer> {
  let sum = 0;
  let length = 0;
  const inOne = header.size <= small && header.packed <= small;
  try {
    for await (const chunk of inOne ? whole(directory, header) : streamed(directory, header)) {
      length += chunk.length;
      if (length > header.size) throw lies(header, "more");
      sum = crc32(chunk, sum);
      yield chunk;
    }
  } catch (error) {
    throw ofEntry(error, header);
  }
  if (length < header.size) throw lies(header, "less");
  if (sum !== header.raw.crc32)
    throw new BadArchive("damaged", `the content of ${shown(header.name)} does not match its checksum`);
}

async function* whole({ readAt }: Directory, { start, packed, size, raw }: Header): AsyncGenerator<Buffer> {
  const bytes = await readAt(start, packed);
  yield raw.isCompressed() ? inflateRawSync(bytes, { maxOutputLength: Math.max(1, size) }) : bytes;
}

async function* streamed({ zip }: Directory, { raw }: Header): AsyncGenerator<Buffer> {
  const stream: Readable = await zip.openReadStreamPromise(raw);
  try {
    yield* stream as AsyncIterable<Buffer>;
  } finally {
    stream.destroy();
  }
}

/** Where a symlink points. */
export async function linkTarget(directory: Directory, header: Header): Promise<string> {
  const target = decoded(Buffer.concat(await Array.fromAsync(content(directory, header))));
  if (target === undefined)
    throw new BadArchive("bad_link", `the symlink ${shown(header.name)} does not point to a path`);
  return target;
}

const lies = (header: Header, which: string) =>
  new BadArchive("size_lies", `${shown(header.name)} says it has ${header.size} bytes and has ${which}`);

function ofEntry(error: unknown, header: Header): unknown {
  if (!(error instanceof Error) || error instanceof BadArchive) return error;
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ERR_BUFFER_TOO_LARGE") return lies(header, "more");
  if (code && !code.startsWith("Z_")) return error;
  return new BadArchive("damaged", `the content of ${shown(header.name)} is damaged: ${error.message}`, error);
}
