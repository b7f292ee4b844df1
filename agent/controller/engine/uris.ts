import type { App, Process } from "../records.ts";
import type { Tables } from "../tables.ts";

/** The names at which a process of the app is reached: `host.domain/path`, sorted. */
export function urisOf(tables: Pick<Tables, "routes" | "domains">, app: App, process: Pick<Process, "type">): string[] {
  const mine = tables.routes
    .all()
    .filter(({ destinations }) => destinations.some((to) => to.app === app.guid && to.process_type === process.type));
  const names = mine.flatMap((route) => {
    const domain = tables.domains.get(route.domain);
    return domain ? [`${route.host ? `${route.host}.` : ""}${domain.name}${route.path}`] : [];
  });
  return [...new Set(names)].sort();
}
