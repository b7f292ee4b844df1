import { Pools, type Regrouped } from "./pools.ts";
import { slotNumbers } from "./slots.ts";
import { type Outcome, RouteTable } from "./table.ts";
import { type View, viewOf } from "./view.ts";

/** The route table together with its grouping into backends. */
export interface Routes {
  readonly table: RouteTable;
  readonly view: View;
  /** Follows what an operation on the table changed. Undefined when it changed nothing. */
  follow(outcome: Outcome, now: number): Regrouped | undefined;
}

// Milliseconds after which no request that met a backend can be in its retries any more (21 connects of 100 ms, and waits as long).
const quarantine = 30_000;

export function routesWithPools(): Routes {
  const table = new RouteTable();
  const pools = new Pools(slotNumbers(quarantine));
  return {
    table,
    view: viewOf(table, pools),
    follow({ touched }, now) {
      if (touched.size === 0) return undefined;
      return pools.regroup(touched, (route) => table.route(route.name) === route, now);
    },
  };
}
