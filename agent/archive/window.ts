import type { FileHandle } from "node:fs/promises";

/** Reads up to `length` bytes at a position; fewer at the end of the file. */
export type ReadAt = (position: number, length: number) => Promise<Buffer>;

const width = 64 * 1024;

/** Reads that go forward in small steps, as a list of entries is read, cost one read of the file for many of them. */
export function readWindow(file: FileHandle): ReadAt {
  let window = Buffer.alloc(0);
  let from = 0;
  return async (position, length) => {
    // An archive may say anything; what is no position in a file holds nothing.
    if (!Number.isSafeInteger(position)) return Buffer.alloc(0);
    if (position < from || position + length > from + window.length) {
      const { buffer, bytesRead } = await file.read(Buffer.allocUnsafe(Math.max(width, length)), 0, null, position);
      window = buffer.subarray(0, bytesRead);
      from = position;
    }
    return window.subarray(position - from, position - from + length);
  };
}
