import type { Api } from "../api.ts";
import type { HealthCheck, ProcessSpec } from "../appSpec.ts";
import { Fault } from "../fault.ts";
import { processesOf } from "../find.ts";
import type { App, Droplet, Process } from "../resources.ts";
import type { Wanted } from "./wanted.ts";

interface Ensuring {
  app: App;
  wanted: Wanted;
  droplet: Droplet;
}

/** Numbers, sizes, commands and health checks of the processes. Returns the one whose start decides: web, if it runs. */
export async function ensureProcesses(api: Api, { app, wanted, droplet }: Ensuring): Promise<Process> {
  for (const spec of specsOf(wanted, droplet)) {
    const one = (await processesOf(api, app)).find((each) => each.type === spec.type);
    if (!one) throw unknown(spec.type);
    await change(api, one, spec);
  }
  const running = (await processesOf(api, app)).sort((a) => (a.type === "web" ? -1 : 1));
  const main = running.find((each) => each.instances > 0) ?? running[0];
  if (main) return main;
  throw new Fault(`${app.name} has no process`, { code: "no_process" });
}

/**
 * What is said of the app itself is meant for web; what the manifest lists for a type comes before it. An app whose
 * droplet has no web process (a worker) gets none, unless one was asked for. Pure.
 */
export function specsOf(wanted: Wanted, { process_types: types }: Pick<Droplet, "process_types">): ProcessSpec[] {
  const listed = wanted.processes ?? [];
  const { instances, memory, disk, command, health } = wanted;
  const own = listed.find((each) => each.type === "web");
  const none = types && !types["web"] && !command && instances === undefined && !own;
  const web = { instances: none ? 0 : instances, memory, disk, command, health, ...own, type: "web" };
  return [...listed.filter((each) => each.type !== "web"), web];
}

function unknown(type: string): Fault {
  return new Fault(`the app has no process of type ${type}`, {
    code: "no_process",
    hint: `name it in a Procfile: ${type}: COMMAND`,
  });
}

/** Only what differs is sent. Size and command wait for the release that follows; the number of instances does not. */
async function change(api: Api, one: Process, spec: ProcessSpec): Promise<void> {
  const full = await api.get<Process>(`/v3/processes/${one.guid}`);
  const health_check = healthOf(full, spec.health);
  const command = spec.command !== undefined && spec.command !== full.command ? { command: spec.command } : {};
  const update = { ...command, ...(health_check && { health_check }) };
  if (Object.keys(update).length) await api.patch(`/v3/processes/${one.guid}`, update);
  const size = { instances: spec.instances, memory_in_mb: spec.memory, disk_in_mb: spec.disk };
  const scaled = Object.entries(size).filter(
    ([key, value]) => value !== undefined && full[key as keyof Process] !== value,
  );
  if (scaled.length) await api.post(`/v3/processes/${one.guid}/actions/scale`, Object.fromEntries(scaled));
}

function healthOf({ health_check: now }: Process, wanted: HealthCheck | undefined): object | undefined {
  if (!wanted) return undefined;
  const { type = now?.type ?? "port", timeout, endpoint } = wanted;
  const same =
    type === now?.type &&
    (timeout === undefined || timeout === now?.data?.timeout) &&
    (endpoint === undefined || endpoint === now?.data?.endpoint);
  if (same) return undefined;
  const data = {
    ...(timeout !== undefined && { timeout }),
    ...(endpoint !== undefined && type === "http" && { endpoint }),
  };
  return { type, ...(Object.keys(data).length && { data }) };
}
