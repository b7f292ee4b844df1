// How things look to a person: sizes, times, tables. Pure.

const units = ["B", "K", "M", "G", "T"];

/** 1536 → `1.5K`, 268435456 → `256M`. */
export function bytes(value: number): string {
  let size = value;
  let unit = 0;
  while (size >= 1023.95 && unit < units.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size >= 10 ? Math.round(size) : Number(size.toFixed(1))}${units[unit]}`;
}

/** Seconds → `45s`, `3m 5s`, `2h 10m`, `4d 3h`. */
export function span(seconds: number): string {
  const s = Math.max(0, Math.floor(seconds));
  if (s < 60) return `${s}s`;
  if (s < 3600) return `${Math.floor(s / 60)}m ${s % 60}s`;
  if (s < 86_400) return `${Math.floor(s / 3600)}h ${Math.floor((s % 3600) / 60)}m`;
  return `${Math.floor(s / 86_400)}d ${Math.floor((s % 86_400) / 3600)}h`;
}

/** How long ago; `then` and `now` in Unix milliseconds. */
export function ago(then: number, now: number): string {
  return now - then < 1000 ? "just now" : `${span((now - then) / 1000)} ago`;
}

/** Milliseconds as the duration of a step: `0.04 s`, `12.3 s`. */
export function took(ms: number): string {
  return `${(ms / 1000).toFixed(ms < 9_950 ? 2 : 1)} s`;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colour is made of them
const colour = /\u001b\[\d+m/g;
const width = (cell: string) => cell.replace(colour, "").length;

/** Rows under a head, columns aligned by two blanks; a cell may be coloured. No rows: the sentence instead. */
export function table(head: readonly string[], rows: readonly (readonly string[])[], none: string): string {
  if (rows.length === 0) return none;
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => width(row[column] ?? ""))));
  return all.map((row) => line(row, widths)).join("\n");
}

/** `name: value` lines with the values aligned. */
export function facts(pairs: readonly (readonly [string, string])[]): string {
  const widest = Math.max(0, ...pairs.map(([name]) => name.length)) + 1;
  return pairs.map(([name, value]) => `${`${name}:`.padEnd(widest)} ${value}`.trimEnd()).join("\n");
}

function line(row: readonly string[], widths: readonly number[]): string {
  const cells = widths.map((wide, column) => {
    const cell = row[column] ?? "";
    return cell + " ".repeat(wide - width(cell));
  });
  return cells.join("  ").trimEnd();
}

/** Text from outside, made safe for a terminal: escape sequences and control characters but tab do nothing. */
export function plain(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001a\u001c-\u001f\u007f]/g, "").replace(/\u001b(?!\[[\d;]*m)/g, "");
}
