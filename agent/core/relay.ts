import type { Log } from "../run/log.ts";
import { sparing } from "./sparing.ts";

const kinds = 200;

/**
 * Puts the server's own lines into our log: `[1] 2026/11/23 16:00:00.000000 [WRN] text`. What it says again and again,
 * as of a core that is away or a node that was shut out, is kept short, each kind by itself.
 */
export function relay(log: Log, { beat }: { beat: number }): (line: string) => void {
  const known = new Map<string, ReturnType<typeof sparing>>();
  return (line) => {
    const [, level, text = line] = /\[(\w{3})\] (.*)$/.exec(line) ?? [];
    // We know that passwords stand in the file: it is readable by us alone.
    const serious = (level === "ERR" || level === "FTL" || level === "WRN") && !text.startsWith("Plaintext passwords");
    if (!serious) return log.debug({ from: "nats-server" }, text);
    const kind = text.replace(/[\d.:]+|"[^"]*"/g, "").slice(0, 60);
    const warn = known.get(kind) ?? sparing(log, { most: 5, time: 60 * beat });
    if (known.size < kinds) known.set(kind, warn);
    warn({ from: "nats-server" }, text);
  };
}
