import type { Bus } from "../bus/bus.ts";
import { at } from "../bus/subject.ts";
import { subjects } from "../bus/subjects.ts";
import { excerpt } from "./excerpt.ts";

/** Where the lines of one staging go: to the person who pushes, and into the task log. */
export interface Output {
  lines(lines: readonly string[], err?: boolean): void;
  /** The last lines that programs printed. */
  last(count: number): string[];
  /** Everything so far, capped. */
  text(): string;
}

/** Characters of a task log; it travels in one message, of which a bus takes 1 MiB. */
const kept = { head: 16 * 1024, tail: 48 * 1024 };
/** Characters sent as log messages in one staging. */
const sent = 4 * 1024 * 1024;
/** Characters of one log message. */
const batch = 64 * 1024;

export function output(bus: Bus, app: string): Output {
  const log = excerpt(kept);
  const recent: string[] = [];
  // An id that is no token would publish to somebody else's subject.
  const subject = /^[\w-]+$/.test(app) ? at(subjects.log, { app }) : undefined;
  let budget = sent;
  const publish = (lines: readonly string[], err: boolean) => {
    if (!subject || budget <= 0) return;
    const now = Date.now();
    const entries = lines.map((text) => (err ? { at: now, err, text } : { at: now, text }));
    budget -= size(lines);
    if (budget <= 0) entries.push({ at: now, text: "… too much output: the rest is not shown …" });
    bus.publish(subject, { app, source: "STG", instance: "", lines: entries });
  };
  return {
    lines(lines, err = false) {
      if (lines.length === 0) return;
      log.add(`${lines.join("\n")}\n`);
      recent.push(...lines.filter((line) => line.trim() !== ""));
      recent.splice(0, recent.length - 50);
      for (const part of batches(lines)) publish(part, err);
    },
    last: (count) => recent.slice(-count),
    text: () => log.text(),
  };
}

function size(lines: readonly string[]): number {
  return lines.reduce((sum, line) => sum + line.length + 40, 0);
}

function batches(lines: readonly string[]): string[][] {
  const parts: string[][] = [[]];
  let room = batch;
  for (const line of lines) {
    room -= line.length + 40;
    if (room < 0) {
      parts.push([]);
      room = batch - line.length - 40;
    }
    parts.at(-1)?.push(line);
  }
  return parts;
}
