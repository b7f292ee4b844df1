import { createWriteStream } from "node:fs";
import { unlink } from "node:fs/promises";
import type { Readable } from "node:stream";
import { finished, pipeline } from "node:stream/promises";
import { ZipFile } from "yazl";

/** A file to be packed. `mode` is the Unix mode; a name that ends in a slash is an empty folder. */
export interface ZipSource {
  readonly name: string;
  readonly mode: number;
  /** Bytes, when known: a stream of another length is then an error. */
  readonly size?: number;
  /** False when packing is not worth the time. */
  readonly compress?: boolean;
  open(): Readable | Promise<Readable>;
}

/** The same files make the same bytes, so that an archive is stored once. */
const mtime = new Date("2012-01-01T00:00:00Z");

/** Packs files in the order given, one at a time. `path` must not exist; it is removed when packing fails. */
export async function pack(path: string, files: AsyncIterable<ZipSource> | Iterable<ZipSource>): Promise<void> {
  const zip = new ZipFile();
  const stop = new AbortController();
  const fail = (error: unknown) => stop.abort(error);
  zip.on("error", fail);
  const target = createWriteStream(path, { flags: "wx", mode: 0o600 });
  const writing = pipeline(zip.outputStream, target, { signal: stop.signal });
  writing.catch(fail);
  try {
    for await (const file of files) await add(zip, file, stop.signal);
    zip.end();
    await writing;
  } catch (error) {
    fail(error);
    await writing.catch(() => {});
    const { reason } = stop.signal;
    if (reason?.code !== "EEXIST") await unlink(path).catch(() => {});
    throw reason;
  }
}

async function add(zip: ZipFile, file: ZipSource, stop: AbortSignal): Promise<void> {
  const { name, mode, size, compress } = file;
  stop.throwIfAborted();
  if (name.endsWith("/")) return zip.addEmptyDirectory(name, { mode: (mode & 0o777) | 0o040000, mtime });
  const stream = await file.open();
  try {
    const type = mode & 0o170000 || 0o100000;
    zip.addReadStream(stream, name, { mode: (mode & 0o777) | type, mtime, size, compress });
    await finished(stream, { writable: false, signal: stop });
  } finally {
    stream.destroy();
  }
}
