import type { CostLine, Estimate } from "./price.ts";
import { cents } from "./priceTable.ts";

/** One side of a difference. */
export interface Share {
  /** `3 × t3.small`; several things are joined by a plus. */
  readonly what: string;
  /** Dollars a month; undefined when it has no price. */
  readonly month: number | undefined;
}

export interface DeltaLine {
  /** A group of nodes, `disks`, `addresses` or `bucket`. */
  readonly of: string;
  /** Undefined on the side where it is not there. */
  readonly before: Share | undefined;
  readonly after: Share | undefined;
}

/** Dollars a month, whole cents: positive is dearer. */
export interface Delta {
  readonly onDemand: number;
  readonly spot: number;
  readonly other: number;
  readonly total: number;
  /** Only what differs. */
  readonly lines: readonly DeltaLine[];
}

/** What becomes dearer and cheaper. `before` is undefined when nothing is there yet. */
export function delta(before: Estimate | undefined, after: Estimate): Delta {
  const change = (sum: "onDemand" | "spot" | "other" | "total") => cents(after[sum] - (before?.[sum] ?? 0));
  const all = new Set([...(before?.lines ?? []), ...after.lines].map((line) => line.of));
  const lines = [...all].map((of) => ({ of, before: share(before?.lines ?? [], of), after: share(after.lines, of) }));
  return {
    ...{ onDemand: change("onDemand"), spot: change("spot"), other: change("other"), total: change("total") },
    lines: lines.filter((line) => line.before?.what !== line.after?.what || line.before?.month !== line.after?.month),
  };
}

function share(lines: readonly CostLine[], of: string): Share | undefined {
  const mine = lines.filter((line) => line.of === of);
  if (mine.length === 0) return undefined;
  const known = mine.flatMap(({ month }) => month ?? []);
  const month = known.length < mine.length ? undefined : cents(known.reduce((sum, each) => sum + each, 0));
  return { what: mine.map(({ what }) => what).join(" + "), month };
}

/** What a group of nodes costs. */
export interface GroupCost {
  readonly of: string;
  /** `3 × t3.small`. */
  readonly what: string;
  readonly month: number;
}

export interface OverBudget {
  readonly budget: number;
  /** Dollars a month; 0 when only what has no price stands against the budget. */
  readonly by: number;
  /** One sentence. */
  readonly why: string;
  /** Where most of the money goes: groups of nodes, at most three, the dearest first. */
  readonly dearest: readonly GroupCost[];
}

/** Why an estimate does not keep a budget (dollars a month); undefined when it does. The budget itself is kept. */
export function overBudget(estimate: Estimate, budget: number): OverBudget | undefined {
  const { total, unpriced } = estimate;
  const by = cents(total - budget);
  const dearest = dearestOf(estimate);
  if (by > 0)
    return { budget, by, why: `${money(total)} a month is ${money(by)} over the budget of ${money(budget)}`, dearest };
  if (unpriced.length === 0) return undefined;
  // A budget that cannot be checked must not pass for one that is kept.
  const why = `the budget of ${money(budget)} cannot be checked: no price is known of ${unpriced.join(", ")}`;
  return { budget, by: 0, why, dearest };
}

function dearestOf({ lines }: Estimate): GroupCost[] {
  const machines = lines.filter(({ kind }) => kind === "on-demand" || kind === "spot");
  const groups = [...new Set(machines.map(({ of }) => of))].flatMap((of): GroupCost[] => {
    const { what = "", month } = share(machines, of) ?? {};
    return month === undefined ? [] : [{ of, what, month }];
  });
  return groups.sort((one, other) => other.month - one.month).slice(0, 3);
}

/** 12.5 → `$12.50`, -3 → `-$3.00`. */
export function money(dollars: number): string {
  return `${dollars < 0 ? "-" : ""}$${Math.abs(dollars).toFixed(2)}`;
}
