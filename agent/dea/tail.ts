import { ftruncateSync } from "node:fs";
import { constants, type FileHandle } from "node:fs/promises";
import { openExactly } from "./confined.ts";
import { chunkSize, keepTail, lastOf } from "./cutting.ts";
import { type Allowance, splitter } from "./logLines.ts";

export interface TailOptions {
  /** Absolute, real path of a file that its writer appends to. */
  path: string;
  /** Bytes published before. */
  offset: number;
  /** Bytes on disk: half for the file, half for its predecessor `.1`. */
  cap: number;
  allowance: Allowance;
}

export interface Drained {
  lines: string[];
  /** Bytes that were left out because too much had come. */
  dropped: number;
  /** True when there may be more at once. */
  more: boolean;
}

export interface Tail {
  /** Reads what is new. Without `read` it only keeps the file within its cap: nobody is there to hear the lines. */
  drain(now: number, read: boolean): Promise<Drained>;
  /** The end: the last of what was printed, whatever the allowance says. */
  finish(): Promise<Drained>;
  /** Where the next run has to go on. */
  readonly offset: number;
  close(): Promise<void>;
}

/** The file is the buffer: so much may wait in it before lines are left out. */
const patience = 4 * 2 ** 20;

/** After a gap: few enough lines that the word of the gap stands among the recent ones. */
const lastWords = 2 ** 18;

const newline = 10;

/** Follows one log file, and cuts it when it grows beyond its cap. */
export function tail({ path, offset: begin, cap, allowance }: TailOptions): Tail {
  const split = splitter();
  let offset = begin;
  let dropped = 0;
  let file: FileHandle | undefined;
  const opened = async () => {
    file ??= await openExactly(path, constants.O_RDWR);
    const { size } = await file.stat();
    if (size < offset) offset = 0;
    return { file, size };
  };
  let held: string[] = [];
  const skipTo = async (handle: FileHandle, to: number) => {
    if (to <= offset) return;
    dropped += to - offset;
    const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, to - 1);
    split.gap(buffer[0] !== newline);
    offset = to;
  };
  const readSome = async (handle: FileHandle, bytes: number): Promise<string[]> => {
    const lines: string[] = [];
    for (let left = bytes; left > 0; ) {
      const { bytesRead, buffer } = await handle.read(Buffer.alloc(Math.min(chunkSize, left)), 0, undefined, offset);
      if (bytesRead === 0) break;
      lines.push(...split.push(buffer.subarray(0, bytesRead)));
      offset += bytesRead;
      left -= bytesRead;
    }
    return lines;
  };
  const told = (lines: string[], more: boolean): Drained => {
    const result = { lines, dropped, more };
    dropped = 0;
    return result;
  };
  const cut = async (handle: FileHandle, size: number) => {
    if (size <= cap / 2 || (offset < size && size <= cap)) return;
    await keepTail(handle, { from: Math.max(0, size - cap / 2), size, path: `${path}.1` });
    // In one go: what is written between the last look and the cut is lost unseen.
    const { end, bytes } = lastOf(handle.fd, offset);
    ftruncateSync(handle.fd);
    if (bytes.length === 0) offset = 0;
    else hold(end, bytes);
  };
  const hold = (end: number, bytes: Buffer) => {
    const skipped = end - bytes.length - offset;
    if (skipped > 0) split.gap(true);
    dropped += skipped + bytesOf(held);
    held = split.push(bytes);
    offset = 0;
  };
  const release = (now: number) => {
    const bytes = bytesOf(held);
    if (bytes > allowance.left(now)) return [];
    allowance.spend(bytes);
    const lines = held;
    held = [];
    return lines;
  };
  return {
    async drain(now, read) {
      const { file: handle, size } = await opened();
      const lines = read ? release(now) : [];
      const bytes = read && held.length === 0 ? Math.min(size - offset, allowance.left(now), 2 ** 20) : 0;
      allowance.spend(bytes);
      lines.push(...(await readSome(handle, bytes)));
      if (read && size - offset > patience) await skipTo(handle, size - lastWords);
      await cut(handle, size);
      return told(lines, read && (bytes > 0 || offset < size || held.length > 0));
    },
    async finish() {
      const { file: handle, size } = await opened();
      await skipTo(handle, size - lastWords);
      const lines = await readSome(handle, size - offset);
      return told([...held, ...lines, ...split.flush()], false);
    },
    get offset() {
      return Math.max(0, offset - split.open);
    },
    async close() {
      await file?.close();
      file = undefined;
    },
  };
}

const bytesOf = (lines: readonly string[]) => lines.reduce((sum, line) => sum + line.length + 1, 0);
