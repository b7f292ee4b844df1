import { type Estimate, estimate, estimateNodes } from "../../infra/price.ts";
import { type Delta, delta, money, type OverBudget, overBudget } from "../../infra/priceDelta.ts";
import { deltaText, estimateText, savingText } from "../../infra/priceText.ts";
import type { ClusterSpec } from "../../roles/spec.ts";
import type { Call } from "../call.ts";
import { Fault, wrongUsage } from "../fault.ts";
import { nodesIn } from "./nodeLines.ts";

/** What a cluster would cost a month, beside what stands; dollars. */
export interface Costs {
  /** Of what stands; undefined when nothing does. */
  readonly before: Estimate | undefined;
  readonly after: Estimate;
  readonly delta: Delta;
  readonly budget: number | undefined;
  readonly over: OverBudget | undefined;
}

/** `--cost` or `--budget` was given: what the change would cost. */
export function costsWanted(call: Call): boolean {
  return call.flag("cost") || call.text("budget") !== undefined;
}

/** `outputs`: of the stack as it stands. */
export function costsOf(
  spec: ClusterSpec,
  outputs: Readonly<Record<string, unknown>> | undefined,
  budget: number | undefined,
): Costs {
  const nodes = nodesIn(outputs);
  // The region is in the zone of what stands: cluster.yaml may have another one by now.
  const region = nodes[0]?.zone.replace(/[a-z]$/, "") ?? "";
  const before = nodes.length > 0 ? estimateNodes({ region, nodes }) : undefined;
  const after = estimate(spec);
  const over = budget === undefined ? undefined : overBudget(after, budget);
  return { before, after, delta: delta(before, after), budget, over };
}

export function costLines({ before, after, delta: change, budget, over }: Costs): string[] {
  const compared = before ? [deltaText(change)] : ["nothing stands yet: all of it is new"];
  const kept = budget === undefined || over ? [] : [`within the budget of ${money(budget)}`];
  return [
    "What it costs a month:",
    ...indented(estimateText(after)),
    "",
    `Compared with what stands${before ? ` (${money(before.total)})` : ""}:`,
    ...compared.flatMap(indented),
    ...(kept.length > 0 ? ["", ...kept] : []),
  ];
}

const indented = (text: string) => text.split("\n").map((line) => (line ? `  ${line}` : line));

/** As `--json` has it: the estimate of what would stand, and how it differs. */
export function costJson({ before, after, delta: change, budget, over }: Costs) {
  const kept = budget === undefined ? {} : { budget, over: over?.by ?? 0, dearest: over?.dearest ?? [] };
  return { ...after, before: before?.total ?? 0, delta: change, ...kept };
}

/** The error of a budget that is not kept. `details`: what `--json` tells beside it. */
export function overFault(over: OverBudget, details: object): Fault {
  return new Fault(`over budget: ${over.why}`, { code: "over_budget", hint: savingText(over), details });
}

/** Dollars as people type them: `100`, `99.50`, `$100`. */
export function amount(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const match = /^\$?(\d+(?:\.\d{1,2})?)$/.exec(given.trim());
  if (!match) throw wrongUsage(`--budget: "${given}" is no amount`, "dollars a month, such as 100 or 99.50");
  return Number(match[1]);
}
