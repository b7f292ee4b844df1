import { plan } from "../roles/plan.ts";
import type { ClusterSpec } from "../roles/spec.ts";
import { addressMonth, cents, factorOf, machineMonth, type PriceTable, priceTable, volumeMonth } from "./priceTable.ts";

/** A node as far as it costs something. The stack's output `nodes` has this shape. */
export interface PricedNode {
  readonly id: string;
  readonly type: string;
  readonly spot: boolean;
  /** GiB. */
  readonly volume: number;
}

export type CostKind = "on-demand" | "spot" | "disk" | "address" | "bucket";

export interface CostLine {
  /** What it is part of: a group of nodes, `disks`, `addresses` or `bucket`. */
  readonly of: string;
  /** What is paid for: `3 × t3.small`. */
  readonly what: string;
  readonly kind: CostKind;
  /** Dollars a month, whole cents; undefined when the table has no price. */
  readonly month: number | undefined;
}

/** Dollars a month, whole cents: estimates of what is always there, without traffic and requests. */
export interface Estimate {
  readonly currency: string;
  /** Day of the prices. */
  readonly date: string;
  readonly region: string;
  readonly lines: readonly CostLine[];
  /** Machines on demand. */
  readonly onDemand: number;
  /** Machines on spot. */
  readonly spot: number;
  /** Disks, addresses, bucket. */
  readonly other: number;
  readonly total: number;
  /** What has no price in the table and is in no sum: `x9.huge`, or the region when us-east-1's prices stand in. */
  readonly unpriced: readonly string[];
  readonly foreignRegion: boolean;
}

/** What a cluster costs. One without a section `aws` costs nothing here. */
export function estimate(spec: ClusterSpec, table: PriceTable = priceTable): Estimate {
  const nodes = plan(spec).flatMap(({ id, machine }) => (machine ? [{ id, ...machine }] : []));
  return estimateNodes({ region: spec.aws?.region ?? "", nodes }, table);
}

/** What nodes cost with what belongs to them: of a plan, or of the nodes that a stack says it has. */
export function estimateNodes(
  { region, nodes }: { region: string; nodes: readonly PricedNode[] },
  table: PriceTable = priceTable,
): Estimate {
  const lines = nodes.length === 0 ? [] : [...machines(nodes, region, table), ...belongings(nodes, region, table)];
  const sum = (...kinds: CostKind[]) =>
    cents(lines.filter(({ kind }) => kinds.includes(kind)).reduce((all, { month = 0 }) => all + month, 0));
  const types = nodes.map(({ type }) => type).filter((type) => !table.types[type]);
  return {
    ...{ currency: table.currency, date: table.date, region, lines },
    ...{ onDemand: sum("on-demand"), spot: sum("spot"), other: sum("disk", "address", "bucket") },
    total: sum("on-demand", "spot", "disk", "address", "bucket"),
    unpriced: [...new Set(types)],
    foreignRegion: nodes.length > 0 && factorOf(table, region) === undefined,
  };
}

const groupOf = (id: string) => id.replace(/-\d+$/, "");

/** One line for each group, type and way of paying. */
function machines(nodes: readonly PricedNode[], region: string, table: PriceTable): CostLine[] {
  const same = Map.groupBy(nodes, ({ id, type, spot }) => `${groupOf(id)} ${type} ${spot}`);
  return [...same.values()].flatMap((group): CostLine[] => {
    const [first] = group;
    if (!first) return [];
    const { id, type, spot } = first;
    const each = machineMonth(table, { type, spot, region });
    const what = `${group.length} × ${type}${spot ? " spot" : ""}`;
    const month = each === undefined ? undefined : cents(each * group.length);
    return [{ of: groupOf(id), what, kind: spot ? "spot" : "on-demand", month }];
  });
}

function belongings(nodes: readonly PricedNode[], region: string, table: PriceTable): CostLine[] {
  const gib = nodes.reduce((sum, { volume }) => sum + volume, 0);
  const { bucketGib, bucketGibMonth } = table;
  return [
    { of: "disks", what: `${gib} GiB gp3`, kind: "disk", month: cents(volumeMonth(table, gib, region)) },
    // Every node has one: a router's is elastic, the others' goes when they stop. Amazon asks the same for both.
    {
      of: "addresses",
      what: `${nodes.length} × public IPv4`,
      kind: "address",
      month: cents(addressMonth(table) * nodes.length),
    },
    { of: "bucket", what: `${bucketGib} GiB, say`, kind: "bucket", month: cents(bucketGibMonth * bucketGib) },
  ];
}
