import { copyFile, mkdir, open } from "node:fs/promises";
import { dirname } from "node:path";

/**
 * The file HAProxy writes its access log to by itself, one line a request. A line that does not begin with a quote is
 * HAProxy's own, about a reload.
 */
export interface AccessLog {
  /** For HAProxy to inherit. */
  readonly fd: number;
  /** Keeps the file below its size: the old lines move to `<path>.1`, those before to nowhere. */
  rotate(): Promise<void>;
  close(): Promise<void>;
}

export async function accessLog(path: string, maxBytes: number): Promise<AccessLog> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const file = await open(path, "a", 0o600);
  return {
    fd: file.fd,
    async rotate() {
      const { size } = await file.stat();
      if (size < maxBytes) return;
      // HAProxy keeps its descriptor, so the file is copied and cut; as it appends, it goes on at the beginning.
      await copyFile(path, `${path}.1`);
      await file.truncate(0);
    },
    close: () => file.close(),
  };
}
