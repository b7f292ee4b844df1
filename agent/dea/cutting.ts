import { fstatSync, readSync } from "node:fs";
import { constants, type FileHandle } from "node:fs/promises";
import { openExactly } from "./confined.ts";

export const chunkSize = 256 * 1024;

/** Of what has to be cut unread, the end is kept: a flood often ends with the line that explains it. */
const heldSize = 64 * 1024;

/** Where a file ends now, and the last of its bytes from `offset` on. */
export function lastOf(fd: number, offset: number): { end: number; bytes: Buffer } {
  const end = fstatSync(fd).size;
  const bytes = Buffer.alloc(Math.max(0, Math.min(heldSize, end - offset)));
  return { end, bytes: bytes.subarray(0, readSync(fd, bytes, 0, bytes.length, end - bytes.length)) };
}

/** The newest part of a file that is about to be emptied, for those who read the files themselves. */
export async function keepTail(from: FileHandle, part: { from: number; size: number; path: string }): Promise<void> {
  const { O_RDWR, O_CREAT, O_TRUNC } = constants;
  const to = await openExactly(part.path, O_RDWR | O_CREAT | O_TRUNC).catch(() => undefined);
  if (!to) return;
  try {
    const buffer = Buffer.alloc(chunkSize);
    for (let at = Math.floor(part.from); at < part.size; ) {
      const { bytesRead } = await from.read(buffer, 0, Math.min(chunkSize, part.size - at), at);
      if (bytesRead === 0) break;
      await to.write(buffer, 0, bytesRead);
      at += bytesRead;
    }
    await to.chmod(0o600);
  } finally {
    await to.close();
  }
}
