import type { Found } from "./inventoryFound.ts";
import { addressMonth, cents, machineMonth, type PriceTable, priceTable, volumeMonth } from "./priceTable.ts";

/**
 * Dollars a month that something costs as long as it is there; undefined when the table has no price of it. A bucket
 * is 0: what it holds is not known from its tags.
 */
export function monthOf(found: Found, table: PriceTable = priceTable): number | undefined {
  const dollars = exactly(found, table);
  return dollars === undefined ? undefined : cents(dollars);
}

function exactly({ kind, machine, region, gib = 0 }: Found, table: PriceTable): number | undefined {
  // A machine that is stopped is not paid for; its disk is, and is listed by itself.
  if (machine) return machine.state === "stopped" ? 0 : machineMonth(table, { ...machine, region });
  if (kind === "volume") return volumeMonth(table, gib, region);
  if (kind === "address") return addressMonth(table);
  return 0;
}
