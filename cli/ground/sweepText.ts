import { type Found, stackOf } from "../../infra/inventoryFound.ts";
import { money } from "../../infra/priceDelta.ts";
import type { Doomed } from "../../infra/sweepVerdict.ts";
import { table } from "../show.ts";

/** What is told of a thing with `--json`. */
export function shape({ kind, id, region, cluster, stack, node, owner, expires, why, month }: Doomed) {
  return { kind, id, region, cluster, stack, node, owner, expires, why, month };
}

/** What would go, and what that saves. */
export function plan(doomed: readonly Doomed[]): string {
  const rows = doomed.map((one) => [
    one.kind,
    one.id,
    nameOf(one),
    one.owner || "-",
    one.why,
    one.month === undefined ? "?" : one.month === 0 ? "-" : money(one.month),
  ]);
  const head = ["WHAT", "ID", "OF", "OWNER", "WHY", "A MONTH"];
  const text = table(head, rows, "nothing is expired, and everything belongs to somebody");
  if (doomed.length === 0) return text;
  const month = monthly(doomed);
  return `${text}\n\n${count(doomed)}${month > 0 ? `, about ${money(month)} a month` : ""}`;
}

export function monthly(doomed: readonly Doomed[]): number {
  return Math.round(doomed.reduce((sum, { month = 0 }) => sum + month, 0) * 100) / 100;
}

export function count({ length }: { readonly length: number }): string {
  return length === 1 ? "1 thing" : `${length} things`;
}

function nameOf(found: Found): string {
  return found.node === "-" ? stackOf(found) : `${stackOf(found)} ${found.node}`;
}
