import { statSync } from "node:fs";
import { open } from "node:fs/promises";
import { sleep } from "../run/sleep.ts";

/** What the server says of itself, line by line. */
export interface ServerLines {
  /** A chunk of its output. */
  feed(chunk: string): void;
  /** From now on; resolves to the first line that matches, or to undefined when none came in time. */
  next(wanted: RegExp, options: { timeout: number; stop: AbortSignal }): Promise<string | undefined>;
}

export interface ServerLinesOptions {
  onLine: (line: string) => void;
  /** The file into which the server writes instead, when it is traced. */
  file: string | undefined;
}

const turn = 20;

export function serverLines({ onLine, file }: ServerLinesOptions): ServerLines {
  const waiting = new Set<(line: string) => void>();
  let rest = "";
  return {
    feed(chunk) {
      const lines = (rest + chunk).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines.filter(Boolean)) {
        onLine(line);
        for (const tell of [...waiting]) tell(line);
      }
    },
    async next(wanted, { timeout, stop }) {
      if (file) return await nextInFile(file, { wanted, timeout, stop });
      const { promise, resolve } = Promise.withResolvers<string>();
      const look = (line: string) => wanted.test(line) && resolve(line);
      waiting.add(look);
      const given = new AbortController();
      try {
        const late = sleep(timeout, AbortSignal.any([stop, given.signal])).then(() => undefined);
        return await Promise.race([promise, late]);
      } finally {
        given.abort();
        waiting.delete(look);
      }
    },
  };
}

interface Looking {
  wanted: RegExp;
  timeout: number;
  stop: AbortSignal;
}

async function nextInFile(file: string, { wanted, timeout, stop }: Looking): Promise<string | undefined> {
  // At once, before whoever asks does what makes the server speak.
  let from = statSync(file).size;
  const end = performance.now() + timeout;
  for (let text = ""; performance.now() < end && !stop.aborted; await sleep(turn, stop)) {
    const more = await textFrom(file, from);
    from += more.length;
    text = `${text}${more.toString("utf8")}`;
    const found = text
      .split("\n")
      .slice(0, -1)
      .find((line) => wanted.test(line));
    if (found) return found;
    text = text.slice(text.lastIndexOf("\n") + 1);
  }
  return undefined;
}

async function textFrom(file: string, from: number): Promise<Buffer> {
  const handle = await open(file);
  try {
    const { size } = await handle.stat();
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(Math.max(0, size - from)), 0, undefined, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}
