import type { App, Process } from "../records.ts";
import type { Api } from "./api.ts";
import { processesOf } from "./renewal.ts";
import { urlOf } from "./showRoute.ts";

/** The manifest that would make the app as it is. */
export function manifestOf({ tables }: Pick<Api, "tables">, app: App) {
  const mine = tables.routes.all().filter(({ destinations }) => destinations.some((to) => to.app === app.guid));
  const routes = mine.map((route) => ({ route: urlOf(route, tables), protocol: "http1" }));
  const { labels, annotations } = app.metadata;
  const hasMetadata = Object.keys(labels).length + Object.keys(annotations).length > 0;
  return {
    name: app.name,
    ...(app.buildpacks.length > 0 && { buildpacks: app.buildpacks }),
    stack: app.stack,
    ...(Object.keys(app.env).length > 0 && { env: app.env }),
    ...(hasMetadata && { metadata: app.metadata }),
    ...(routes.length > 0 && { routes }),
    processes: processesOf({ tables }, app.guid)
      .filter(({ deployment }) => deployment === undefined)
      .map(processPart),
  };
}

function processPart({ type, command, instances, memory_in_mb, disk_in_mb, health_check: check }: Process) {
  return {
    type,
    ...(command !== undefined && { command }),
    instances,
    memory: `${memory_in_mb}M`,
    disk_quota: `${disk_in_mb}M`,
    "health-check-type": check.type,
    ...(check.endpoint !== undefined && { "health-check-http-endpoint": check.endpoint }),
    ...(check.timeout !== undefined && { timeout: check.timeout }),
  };
}
