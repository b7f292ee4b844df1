import { estimate } from "../../infra/price.ts";
import { overBudget } from "../../infra/priceDelta.ts";
import { estimateText } from "../../infra/priceText.ts";
import type { Call } from "../call.ts";
import { amount, overFault } from "../cluster/costs.ts";
import { readAnySpec } from "../cluster/spec.ts";

/** `tutti cost SPEC`: what a cluster would cost a month; exit code 1 when that is over the budget. */
export async function cost(call: Call): Promise<void> {
  const budget = amount(call.text("budget"));
  const priced = estimate(readAnySpec(call.arg(0)).spec);
  const over = budget === undefined ? undefined : overBudget(priced, budget);
  const verdict = budget === undefined ? {} : { budget, over: over?.by ?? 0, why: over?.why, dearest: over?.dearest };
  if (!over) return call.io.result({ ok: true, ...priced, ...verdict }, estimateText(priced));
  if (!call.io.json) call.io.out(estimateText(priced));
  throw overFault(over, { ...priced, ...verdict });
}
