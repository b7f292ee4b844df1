import prices from "./prices.json" with { type: "json" };

/** What things cost in us-east-1, in dollars, and by how much other regions are dearer. Estimates with a date. */
export interface PriceTable {
  /** Day of the prices. */
  readonly date: string;
  readonly source: string;
  readonly currency: string;
  readonly hoursPerMonth: number;
  /** gp3. */
  readonly volumeGibMonth: number;
  /** Of a public IPv4 address, used or not. */
  readonly addressHour: number;
  readonly bucketGibMonth: number;
  /** GiB that a cluster's bucket is taken to hold. */
  readonly bucketGib: number;
  /** Region → its prices of machines and disks, as a multiple of us-east-1's. */
  readonly regions: Readonly<Record<string, number>>;
  readonly types: Readonly<Record<string, TypePrice>>;
}

export interface TypePrice {
  /** On demand. */
  readonly hour: number;
  /** Part of the on-demand price that spot usually costs. */
  readonly spotShare: number;
}

export const priceTable: PriceTable = prices;

/** Multiple of us-east-1's prices; undefined for a region that is not in the table. */
export function factorOf(table: PriceTable, region: string): number | undefined {
  return table.regions[region];
}

/** A machine's dollars a month; undefined for a type that is not in the table. */
export function machineMonth(
  table: PriceTable,
  { type, spot, region }: { type: string; spot: boolean; region: string },
): number | undefined {
  const price = table.types[type];
  if (!price) return undefined;
  return price.hour * (spot ? price.spotShare : 1) * table.hoursPerMonth * (factorOf(table, region) ?? 1);
}

export function volumeMonth(table: PriceTable, gib: number, region: string): number {
  return table.volumeGibMonth * gib * (factorOf(table, region) ?? 1);
}

/** The same in every region. */
export function addressMonth(table: PriceTable): number {
  return table.addressHour * table.hoursPerMonth;
}

/** Whole cents: what is shown adds up to the sum that is shown. */
export function cents(dollars: number): number {
  return Math.round(dollars * 100) / 100;
}
