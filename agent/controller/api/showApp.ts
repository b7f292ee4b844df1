import type { App, Process } from "../records.ts";
import type { Tables } from "../tables.ts";
import type { Call } from "./api.ts";
import { head, relation } from "./showTenancy.ts";

type Links = Pick<Call, "href">;

export function showApp(app: App, { href }: Links) {
  const self = `/v3/apps/${app.guid}`;
  const action = (name: string) => ({ ...href(`${self}/actions/${name}`), method: "POST" });
  return {
    ...head(app),
    name: app.name,
    state: app.state,
    lifecycle: { type: "buildpack", data: { buildpacks: app.buildpacks, stack: app.stack } },
    relationships: { space: relation(app.space), current_droplet: relation(app.droplet) },
    metadata: app.metadata,
    links: {
      self: href(self),
      environment_variables: href(`${self}/environment_variables`),
      space: href(`/v3/spaces/${app.space}`),
      processes: href(`${self}/processes`),
      packages: href(`${self}/packages`),
      current_droplet: href(`${self}/droplets/current`),
      droplets: href(`${self}/droplets`),
      tasks: href(`${self}/tasks`),
      start: action("start"),
      stop: action("stop"),
      clear_buildpack_cache: action("clear_buildpack_cache"),
      revisions: href(`${self}/revisions`),
      deployed_revisions: href(`${self}/revisions/deployed`),
      features: href(`${self}/features`),
    },
  };
}

/** The command that instances run: the process's own, or the one its droplet was staged with. */
export function commandOf(process: Process, tables: Pick<Tables, "apps" | "droplets">): string | undefined {
  const droplet = process.droplet ?? tables.apps.get(process.app)?.droplet;
  return process.command ?? (droplet ? tables.droplets.get(droplet)?.process_types[process.type] : undefined);
}

/** In lists the command is hidden, as Cloud Foundry does: it may hold secrets. */
export const hidden = "[PRIVATE DATA HIDDEN IN LISTS]";

export function showProcess(
  process: Process,
  { href }: Links,
  { space, command }: { space: string; command?: string | undefined },
) {
  const self = `/v3/processes/${process.guid}`;
  const { type, endpoint, timeout, invocation_timeout } = process.health_check;
  const data = { timeout: timeout ?? null, invocation_timeout: invocation_timeout ?? null, interval: null };
  return {
    ...head(process),
    version: process.version,
    type: process.type,
    command: command ?? null,
    user: null,
    instances: process.instances,
    memory_in_mb: process.memory_in_mb,
    disk_in_mb: process.disk_in_mb,
    log_rate_limit_in_bytes_per_second: -1,
    health_check: { type, data: type === "http" ? { ...data, endpoint: endpoint ?? "/" } : data },
    readiness_health_check: { type: "process", data: { invocation_timeout: null, interval: null } },
    relationships: { app: relation(process.app), revision: null },
    metadata: process.metadata,
    links: {
      self: href(self),
      scale: { ...href(`${self}/actions/scale`), method: "POST" },
      app: href(`/v3/apps/${process.app}`),
      space: href(`/v3/spaces/${space}`),
      stats: href(`${self}/stats`),
      process_instances: href(`${self}/process_instances`),
    },
  };
}
