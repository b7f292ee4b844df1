import { randomBytes } from "node:crypto";
import type { App } from "../records.ts";
import type { Api, Call } from "./api.ts";
import { environment, lifecycleOf } from "./appFields.ts";
import { newProcess } from "./apps.ts";
import { changed, merged, noMetadata, parse } from "./body.ts";
import { destinationTo, isSame, mapRoute } from "./destinations.ts";
import { unprocessable } from "./errors.ts";
import type { Application, ProcessPart } from "./manifestSchema.ts";
import { defaultDomain } from "./organizations.ts";
import { scaleProcess, updateProcess } from "./processes.ts";
import { processOfType } from "./renewal.ts";
import { createRoute } from "./routes.ts";

interface Wish {
  app: App;
  one: Application;
}

/** Makes an app what its manifest says. What runs goes on as it is: a start, restart or deployment takes it over. */
export async function applyManifest(api: Api, call: Call, { app, one }: Wish): Promise<void> {
  for (const part of partsOf(one)) await applyProcess(api, call, { app, part });
  const named = one.buildpacks ?? (one.buildpack ? [one.buildpack] : undefined);
  const automatic = one.buildpack === null || ["default", "null"].includes(one.buildpack ?? "");
  const data = { ...(named && { buildpacks: automatic ? [] : named }), ...(one.stack && { stack: one.stack }) };
  const bits = lifecycleOf({ data }, api.stack);
  const variables = parse(environment, one.env ?? {});
  await api.tables.apps.update(app.guid, (old) => ({
    ...old,
    ...bits,
    env: merged(old.env, variables),
    metadata: changed(old.metadata, one.metadata),
  }));
  await applyRoutes(api, call, { app, one });
}

type Part = ProcessPart & { type: string };

/** What stands at the top is meant for web, unless web is listed by itself. */
function partsOf({ processes = [], ...top }: Application): Part[] {
  return processes.some(({ type }) => type === "web") ? processes : [{ ...top, type: "web" }, ...processes];
}

async function applyProcess(api: Api, call: Call, { app, part }: { app: App; part: Part }): Promise<void> {
  const found = processOfType(api, app.guid, part.type);
  const process = found ?? (await api.tables.processes.insert(newProcess(app, part.type)));
  const update = updateOf(part);
  if (Object.keys(update).length > 0) await updateProcess(api, call, { process, asked: update });
  const scaling = {
    ...(part.instances !== undefined && { instances: part.instances }),
    ...(part.memory !== undefined && { memory_in_mb: part.memory }),
    ...((part.disk_quota ?? part["disk-quota"]) !== undefined && { disk_in_mb: part.disk_quota ?? part["disk-quota"] }),
  };
  if (Object.keys(scaling).length > 0) await scaleProcess(api, call, { process, asked: scaling });
}

function updateOf(part: Part): Parameters<typeof updateProcess>[2]["asked"] {
  const command = ["default", "null"].includes(part.command ?? "null") ? null : part.command;
  const type = part["health-check-type"] === "none" ? "process" : part["health-check-type"];
  const data = {
    ...(part.timeout !== undefined && { timeout: part.timeout }),
    ...(part["health-check-http-endpoint"] && { endpoint: part["health-check-http-endpoint"] }),
    ...(part["health-check-invocation-timeout"] && { invocation_timeout: part["health-check-invocation-timeout"] }),
  };
  return {
    ...(part.command !== undefined && { command }),
    ...((type || Object.keys(data).length > 0) && { health_check: { ...(type && { type }), data } }),
  };
}

async function applyRoutes(api: Api, call: Call, { app, one }: Wish): Promise<void> {
  const mine = api.tables.routes.all().filter(({ destinations }) => destinations.some((to) => to.app === app.guid));
  if (one["no-route"]) {
    for (const route of mine)
      await mapRoute(api, call, { route, how: (old) => old.filter((to) => to.app !== app.guid) });
    return;
  }
  for (const { route } of one.routes ?? []) await map(api, call, { app, url: route });
  if (one.routes || mine.length > 0 || !(one["default-route"] || one["random-route"])) return;
  const domain = defaultDomain(api, api.tables.spaces.get(app.space)?.organization ?? "");
  if (!domain) throw unprocessable("No default domains available");
  const host = app.name.toLowerCase().replace(/_/g, "-");
  if (!/^[a-z0-9-]{1,63}$/.test(host))
    throw unprocessable(
      'Failed to create default route from app name: Host must be either "*" or contain only alphanumeric characters, "_", or "-"',
    );
  const tail = one["random-route"] ? `-${randomBytes(4).toString("hex")}` : "";
  await map(api, call, { app, url: `${host}${tail}.${domain.name}` });
}

/** Makes the route if it is not there, and leads it to the app's web process. */
async function map(api: Api, call: Call, { app, url }: { app: App; url: string }): Promise<void> {
  const { host, path, domain } = split(api, url);
  const there = api.tables.routes
    .all()
    .find((one) => one.host === host && one.path.toLowerCase() === path.toLowerCase() && one.domain === domain);
  const route = there ?? (await createRoute(api, call, { host, path, domain, space: app.space, metadata: noMetadata }));
  if (route.space !== app.space) throw unprocessable("Routes cannot be mapped to destinations in different spaces.");
  const to = destinationTo(app.guid);
  if (!route.destinations.some(isSame(to)))
    await mapRoute(api, call, { route, how: (old) => (old.some(isSame(to)) ? old : [...old, to]) });
}

/** `host.domain/path` by the longest domain that there is. */
function split(api: Api, url: string): { host: string; path: string; domain: string } {
  const [, name = "", path = ""] = /^(?:https?:\/\/)?([^/:]+)(?::\d+)?(\/.*)?$/.exec(url.trim()) ?? [];
  const lower = name.toLowerCase();
  const fitting = api.tables.domains.all().filter((one) => lower === one.name || lower.endsWith(`.${one.name}`));
  const domain = fitting.sort((one, other) => other.name.length - one.name.length)[0];
  if (!domain) throw unprocessable(`The route '${url}' did not match any existing domains.`);
  return { host: lower.slice(0, -domain.name.length - 1), path: path === "/" ? "" : path, domain: domain.guid };
}
