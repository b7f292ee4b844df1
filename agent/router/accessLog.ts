import { type FileHandle, mkdir, open, rename } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * The file HAProxy writes its access log to by itself, one line a request. A line that does not begin with a quote is
 * no request: ours at the beginning of a file, or HAProxy's about a reload.
 */
export interface AccessLog {
  /** For the next HAProxy to inherit. */
  readonly fd: number;
  /** When the file has grown to its size, moves it to `<path>.1` and begins another; true when HAProxy should change over. */
  rotate(): Promise<boolean>;
  close(): Promise<void>;
}

export interface AccessLogOptions {
  path: string;
  maxBytes: number;
  /** Leave the file that is there to a HAProxy that still writes to it. */
  afresh: boolean;
}

export async function accessLog({ path, maxBytes, afresh }: AccessLogOptions): Promise<AccessLog> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  if (afresh) await rename(path, `${path}.1`).catch(() => {});
  let file = await begin(path);
  let before: FileHandle | undefined;
  return {
    get fd() {
      return file.fd;
    },
    async rotate() {
      const { size } = await file.stat();
      if (size < maxBytes) return false;
      await rename(path, `${path}.1`);
      await before?.close();
      // Kept for a HAProxy that is being started with it right now.
      before = file;
      file = await begin(path);
      return true;
    },
    async close() {
      await before?.close();
      await file.close();
    },
  };
}

// HAProxy takes the append flag off the descriptor it inherits, and would write over the beginning of the file. The
// position is shared, so a line of ours leaves it at the end. For the same reason the file cannot be cut in place.
async function begin(path: string): Promise<FileHandle> {
  const file = await open(path, "a", 0o600);
  await file.write(`# access log of the router, ${new Date().toISOString()}\n`);
  return file;
}
