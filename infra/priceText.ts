import type { Estimate } from "./price.ts";
import { type Delta, type DeltaLine, money, type OverBudget, type Share } from "./priceDelta.ts";

type Row = readonly [string, string];

/** An estimate for a person: a line for each thing, the sums, and what the figures are worth. */
export function estimateText(estimate: Estimate): string {
  const { lines, onDemand, spot, other, total } = estimate;
  if (lines.length === 0) return "nothing of this costs money on AWS";
  const sums: Row[] = [
    ["machines on demand", money(onDemand)],
    ["machines on spot", money(spot)],
    ["disks, addresses, bucket", money(other)],
    ["a month", money(total)],
  ];
  const each = lines.map(({ of, what, month }): Row => [`${of}: ${what}`, month === undefined ? "?" : money(month)]);
  return [...ruled(each, sums), "", ...remarks(estimate)].join("\n");
}

/** A delta for a person. */
export function deltaText({ lines, onDemand, spot, other, total }: Delta): string {
  if (lines.length === 0) return "the price stays as it is";
  const sums: Row[] = [
    ["machines on demand", signed(onDemand)],
    ["machines on spot", signed(spot)],
    ["disks, addresses, bucket", signed(other)],
    ["a month", signed(total)],
  ];
  return ruled(lines.map(step), sums).join("\n");
}

/** Where to save, when a budget is not kept. */
export function savingText({ dearest }: OverBudget): string {
  if (dearest.length === 0) return "give the nodes a type that is in the price table, or leave the budget out";
  const groups = dearest.map(({ of, what, month }) => `${of} (${what}) ${money(month)}`);
  return `the dearest: ${groups.join(", ")}; a smaller instanceType, a smaller count or spot: true saves most there`;
}

function step({ of, before, after }: DeltaLine): Row {
  const whats = [before?.what ?? "none", after?.what ?? "none"];
  const what = before?.what === after?.what ? (after?.what ?? "") : whats.join(" → ");
  return [`${of}: ${what}`, `${shown(before)} → ${shown(after)}`];
}

const shown = (share: Share | undefined) => (share && share.month === undefined ? "?" : money(share?.month ?? 0));
const signed = (dollars: number) => `${dollars > 0 ? "+" : ""}${money(dollars)}`;

/** What the figures leave out, and how old they are. */
function remarks({ date, region, unpriced, foreignRegion }: Estimate): string[] {
  return [
    ...(unpriced.length ? [`no price is known of ${unpriced.join(", ")}: not in the sums`] : []),
    ...(foreignRegion ? [`${region} is not in the price table: these are the prices of us-east-1`] : []),
    `estimate with prices of ${date}, not checked against Amazon's list; traffic and requests come on top`,
  ];
}

function ruled(rows: readonly Row[], sums: readonly Row[]): string[] {
  const all = [...rows, ...sums];
  const left = Math.max(...all.map(([what]) => what.length));
  const right = Math.max(...all.map(([, amount]) => amount.length));
  const line = ([what, amount]: Row) => `${what.padEnd(left)}  ${amount.padStart(right)}`;
  return [...rows.map(line), "-".repeat(left + 2 + right), ...sums.map(line)];
}
