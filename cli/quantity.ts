import { wrongUsage } from "./fault.ts";

// Numbers as people type them. `what` names the option or key in the complaint.

export function wholeNumber(text: string, what: string, { min = 0, max = 1_000_000_000 } = {}): number {
  const value = Number(text);
  if (!/^\d+$/.test(text.trim()) || value < min || value > max) {
    throw wrongUsage(
      `${what}: "${text}" is not a whole number of at least ${min}${max < 1e9 ? ` and at most ${max}` : ""}`,
    );
  }
  return value;
}

// 1 PiB, far below where the API's whole numbers end.
const most = 2 ** 30;
const powers: Record<string, number> = { K: 1 / 1024, M: 1, G: 1024, T: 1024 * 1024 };

/** `256M`, `256MB`, `1g`, `1.5GiB`, or plain MiB as stackato took them (`256`) → MiB. */
export function mebibytes(text: string | number, what: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]?)i?b?$/i.exec(String(text).trim());
  const size = match ? Math.round(Number(match[1]) * (powers[(match[2] || "M").toUpperCase()] ?? 1)) : 0;
  if (size < 1) throw wrongUsage(`${what}: "${text}" is no size of at least 1 MiB`, "write it like 256M or 1G");
  if (size > most) throw wrongUsage(`${what}: "${text}" is more than 1024T`, "write it like 256M or 1G");
  return size;
}

/** `A=b=c` → `["A", "b=c"]`. */
export function assignment(text: string, what: string): [string, string] {
  const at = text.indexOf("=");
  if (at < 1) throw wrongUsage(`${what}: "${text}" is not of the form NAME=VALUE`);
  return [text.slice(0, at), text.slice(at + 1)];
}
