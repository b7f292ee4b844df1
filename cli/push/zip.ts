import { createReadStream } from "node:fs";
import type { Readable } from "node:stream";
import { ZipFile } from "yazl";
import type { Entry } from "./tree.ts";

/** What is small already only costs time to compress again. */
const packed = /\.(zip|gz|tgz|bz2|xz|zst|7z|jar|war|whl|png|jpe?g|gif|webp|avif|mp[34]|webm|woff2?|pdf)$/i;
const link = 0o120000;

/**
 * The entries as a zip, streamed: files are opened one after the other, nothing is kept in memory or on disk. The same
 * entries make the same bytes. Their times are the files' own: a web server that makes ETags of them would otherwise
 * tell browsers that a changed page is the old one.
 */
export function zipOf(entries: readonly Entry[]): Readable {
  const zip = new ZipFile();
  const out = zip.outputStream as Readable;
  zip.on("error", (error: Error) => out.destroy(error));
  for (const entry of entries) add(zip, entry, out);
  zip.end();
  return out;
}

function add(zip: ZipFile, { kind, path, source, mode, mtime, target = "" }: Entry, out: Readable): void {
  const options = { mtime, mode };
  if (kind === "directory") zip.addEmptyDirectory(`${path}/`, { mtime, mode: 0o040000 | mode });
  else if (kind === "link")
    zip.addBuffer(Buffer.from(target), path, { ...options, mode: link | mode, compress: false });
  else
    zip.addReadStreamLazy(path, { ...options, mode: 0o100000 | mode, compress: !packed.test(path) }, (open) => {
      const stream = createReadStream(source);
      // The library does not listen to the streams it is given.
      stream.once("error", (error) => out.destroy(error));
      open(undefined, stream);
    });
}
