import { readFile } from "node:fs/promises";
import { estimate } from "../../infra/price.ts";
import { overBudget } from "../../infra/priceDelta.ts";
import { estimateText } from "../../infra/priceText.ts";
import { parseCluster } from "../../roles/spec.ts";
import type { Call } from "../call.ts";
import { exits, Fault, wrongUsage } from "../fault.ts";

/** `tutti cost SPEC`: what a cluster would cost a month; exit code 1 when that is over the budget. */
export async function cost(call: Call): Promise<number> {
  const file = call.arg(0);
  const budget = amount(call.text("budget"));
  const priced = estimate(parseCluster(await text(file), file));
  const over = budget === undefined ? undefined : overBudget(priced, budget);
  const verdict = budget === undefined ? {} : { budget, over: over?.by ?? 0, why: over?.why };
  call.io.result({ ok: over === undefined, ...priced, ...verdict }, estimateText(priced));
  if (over) call.io.note(`${call.io.paint("red", "over budget:")} ${over.why}`);
  return over ? exits.failed : exits.done;
}

/** Dollars as people type them: `100`, `99.50`, `$100`. */
export function amount(given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const match = /^\$?(\d+(?:\.\d{1,2})?)$/.exec(given.trim());
  if (!match) throw wrongUsage(`--budget: "${given}" is no amount`, "dollars a month, such as 100 or 99.50");
  return Number(match[1]);
}

async function text(file: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code === "ENOENT" ? "is not there" : (cause as Error).message;
    throw new Fault(`${file} ${why}`, { code: "no_spec", hint: "examples are in examples/*/cluster.yaml", cause });
  }
}
