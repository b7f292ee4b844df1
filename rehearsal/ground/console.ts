import { closeSync, openSync, readSync } from "node:fs";

/** Reads what was added to a machine's console since the last time. */
export interface ConsoleReader {
  /** True when the mark was printed since the last time. */
  saw(mark: RegExp): boolean;
  /** What is there by now belongs to the past. */
  skip(): void;
}

/** The end of the line that was read last, so that a mark is found that came in two pieces. */
const kept = 200;

export function consoleReader(path: string): ConsoleReader {
  let at = 0;
  let tail = "";
  const read = (): string => {
    const text = from(path, at);
    at += Buffer.byteLength(text, "latin1");
    const all = tail + text;
    tail = all.slice(-kept);
    return all;
  };
  return {
    saw(mark) {
      const found = mark.test(read());
      if (found) tail = "";
      return found;
    },
    skip() {
      read();
      tail = "";
    },
  };
}

/** What a file has from a place on; "" while there is no file. As latin1, one character is one byte. */
function from(path: string, at: number): string {
  let file: number;
  try {
    file = openSync(path, "r");
  } catch {
    return "";
  }
  const chunks: string[] = [];
  const buffer = Buffer.alloc(65_536);
  try {
    for (let length = 1; length > 0; at += length) {
      length = readSync(file, buffer, 0, buffer.length, at);
      chunks.push(buffer.toString("latin1", 0, length));
    }
  } finally {
    closeSync(file);
  }
  return chunks.join("");
}
