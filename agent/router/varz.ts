import type { RouteTable } from "./table.ts";

export interface VarzOf {
  table: RouteTable;
  /** When a message last changed or confirmed the table, ms. */
  lastUpdate: number;
  now: number;
}

// A table longer than this does not belong in a status page.
const mostRoutes = 1000;

/** What collectors of Cloud Foundry read of a router's table, and the routes themselves while they are few. */
export function routerVarz({ table, lastUpdate, now }: VarzOf): Record<string, unknown> {
  const apps = new Set([...table.endpoints()].flatMap(({ endpoint }) => endpoint.app ?? []));
  return {
    urls: table.size,
    droplets: apps.size,
    ms_since_last_registry_update: now - lastUpdate,
    ...(table.size <= mostRoutes ? { routes: routesOf(table, now) } : {}),
  };
}

/** Name → endpoints, as gorouter shows them. `ttl` is seconds. */
function routesOf(table: RouteTable, now: number): Record<string, unknown[]> {
  const entries = [...table.routes()].map(({ name, members }) => {
    const shown = [...members].map(([{ endpoint }, at]) => {
      const { key: address, san, app, instance, index, tags } = endpoint;
      const ttl = Math.max(0, Math.round((endpoint.ttl - (now - at)) / 1000));
      return {
        address,
        tls: san !== undefined,
        ttl,
        app,
        private_instance_id: instance,
        private_instance_index: index,
        tags,
      };
    });
    return [name, shown] as const;
  });
  return Object.fromEntries(entries);
}
