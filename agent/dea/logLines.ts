const newline = 10;

/** Bytes of one line; what is longer is cut. */
export const longest = 64 * 1024;

export interface Splitter {
  /** The whole lines that this chunk completes. Bytes that are no UTF-8 are replaced. */
  push(chunk: Buffer): string[];
  /** Bytes of the line that has begun and not ended. */
  readonly open: number;
  /** The begun line, if any: the process is gone and will not end it. */
  flush(): string[];
  /** The next bytes do not follow the last ones. `inside` a line: its rest is dropped like its beginning. */
  gap(inside: boolean): void;
}

export function splitter(): Splitter {
  let begun: Buffer = Buffer.alloc(0);
  let dropping = false;
  let open = 0;
  const take = (part: Buffer): string[] => {
    open += part.length;
    if (dropping) return [];
    begun = begun.length === 0 ? part : Buffer.concat([begun, part]);
    if (begun.length <= longest) return [];
    const text = `${begun.subarray(0, longest).toString("utf8")} [cut: the line is longer than 64 KiB]`;
    begun = Buffer.alloc(0);
    dropping = true;
    return [text];
  };
  const finish = (part: Buffer): string[] => {
    const cut = take(part);
    const line = dropping ? cut : [begun.toString("utf8").replace(/\r$/, "")];
    begun = Buffer.alloc(0);
    dropping = false;
    open = 0;
    return line;
  };
  return {
    push(chunk) {
      const lines: string[] = [];
      let from = 0;
      for (let at = chunk.indexOf(newline); at >= 0; at = chunk.indexOf(newline, from)) {
        lines.push(...finish(chunk.subarray(from, at)));
        from = at + 1;
      }
      // A copy: the reader uses its buffer again.
      if (from < chunk.length) lines.push(...take(Buffer.from(chunk.subarray(from))));
      return lines;
    },
    get open() {
      return open;
    },
    flush: () => (open > 0 && !dropping ? finish(Buffer.alloc(0)) : []),
    gap(inside) {
      begun = Buffer.alloc(0);
      dropping = inside;
      open = 0;
    },
  };
}

export interface Allowance {
  /** Bytes that may be read now. */
  left(now: number): number;
  spend(bytes: number): void;
}

/** So many bytes a second, and one second's worth saved up at most twice. */
export function allowance(perSecond: number, now: number): Allowance {
  let saved = 2 * perSecond;
  let last = now;
  return {
    left(at) {
      saved = Math.min(2 * perSecond, saved + (perSecond * (at - last)) / 1000);
      last = at;
      return Math.max(0, Math.floor(saved));
    },
    spend: (bytes) => {
      saved -= bytes;
    },
  };
}

export interface Batchable {
  text: string;
}

/** Lines in groups that fit one message of the bus also when every character has to be escaped. */
export function batches<T extends Batchable>(lines: readonly T[], size = 128 * 1024, count = 500): T[][] {
  const groups: T[][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const line of lines) {
    bytes += line.text.length;
    const last = groups.at(-1);
    if (last && bytes <= size && last.length < count) {
      last.push(line);
      continue;
    }
    groups.push([line]);
    bytes = line.text.length;
  }
  return groups;
}

/** What is said instead of lines that were left out. */
export function droppedText(bytes: number, lineLength: number, perSecond: number): string {
  const lines = Math.max(1, Math.round(bytes / Math.max(1, lineLength)));
  const speed = `${Math.round(perSecond / 1024)} KiB/s`;
  return `about ${lines} lines (${(bytes / 2 ** 20).toFixed(1)} MiB) dropped: output faster than ${speed}`;
}
