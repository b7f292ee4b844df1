import { droppedText } from "./logLines.ts";

/** Bytes a second of one instance that reach the log. */
export const perSecond = 2 ** 20;

/** Says what was left out, at most once a second and with what comes next. */
export function dropNotice() {
  let bytes = 0;
  let last = 0;
  let seen = { lines: 0, bytes: 0 };
  const say = (lines: string[], dropped: number, now: number): string[] => {
    bytes += dropped;
    if (lines.length > 0) seen = { lines: lines.length, bytes: lines.reduce((sum, line) => sum + line.length + 1, 0) };
    if (bytes === 0 || now - last < 1000) return [];
    const text = droppedText(bytes, seen.bytes / Math.max(1, seen.lines), perSecond);
    bytes = 0;
    last = now;
    return [text];
  };
  return { say, pending: () => bytes > 0 };
}
