import { publicUrl } from "./address.ts";
import type { Api } from "./api.ts";
import type { Call } from "./call.ts";
import { instancesOf, openApp, processesOf, routesOf } from "./find.ts";
import type { Paint } from "./io.ts";
import type { App, Droplet, Instance, Process } from "./resources.ts";
import { ago, bytes, facts, plain, span, table } from "./show.ts";

interface Part extends Process {
  stats: Instance[];
}

/** `tutti app APP`: what it is, where it is, and how each instance does. */
export async function app(call: Call): Promise<void> {
  const { api, app: found, organization, space } = await openApp(call);
  const [processes, routes, droplet] = await Promise.all([
    processesOf(api, found),
    routesOf(api, found),
    api.maybe<Droplet>(`/v3/apps/${found.guid}/droplets/current`),
  ]);
  const parts = await Promise.all(processes.map((each) => look(api, each)));
  const urls = routes.map((route) => publicUrl(route.url, api.target));
  const framework = frameworkOf(droplet) ?? "not built yet";
  const text = [
    facts([
      ["name", found.name],
      ["state", found.state.toLowerCase()],
      ["space", `${organization.name} / ${space.name}`],
      ["urls", urls.join(", ") || "none"],
      ["framework", framework],
      ["updated", ago(Date.parse(found.updated_at), Date.now())],
    ]),
    ...parts.map((part) => partText(part, { app: found, droplet, paint: call.io.paint })),
  ];
  call.io.result(
    {
      ok: true,
      name: found.name,
      guid: found.guid,
      state: found.state.toLowerCase(),
      urls,
      framework,
      processes: parts.map(partJson),
    },
    text.join("\n\n"),
  );
}

/** Lists hide commands, as they may hold secrets; the process itself shows its own. */
async function look(api: Api, { guid }: Process): Promise<Part> {
  const [whole, stats] = await Promise.all([api.get<Process>(`/v3/processes/${guid}`), instancesOf(api, { guid })]);
  return { ...whole, stats };
}

export function frameworkOf(droplet: Droplet | undefined): string | undefined {
  const first = droplet?.buildpacks?.[0];
  return first?.detect_output || first?.buildpack_name || first?.name || undefined;
}

function partText(
  part: Part,
  { app, droplet, paint }: { app: App; droplet: Droplet | undefined; paint: Paint },
): string {
  const running = part.stats.filter((each) => each.state === "RUNNING").length;
  const size = `${bytes(part.memory_in_mb * 2 ** 20)} memory, ${bytes(part.disk_in_mb * 2 ** 20)} disk`;
  const command = part.command ?? droplet?.process_types?.[part.type];
  const head = `${part.type}: ${running}/${part.instances} running, ${size}${command ? `\ncommand: ${plain(command)}` : ""}`;
  if (app.state === "STOPPED") return head;
  const rows = part.stats.map((each) => instanceRow(each, paint));
  return `${head}\n${table(["#", "STATE", "SINCE", "CPU", "MEMORY", "DISK", "DETAILS"], rows, "no instances")}`;
}

const shades = { RUNNING: "green", CRASHED: "red", DOWN: "red", STARTING: "yellow", STOPPING: "yellow" } as const;

function instanceRow(each: Instance, paint: Paint): string[] {
  const { usage } = each;
  const share = (used: number | undefined, quota: number | null | undefined) =>
    used === undefined ? "-" : `${bytes(used)}${quota ? ` of ${bytes(quota)}` : ""}`;
  return [
    String(each.index),
    paint(shades[each.state] ?? "yellow", each.state.toLowerCase()),
    each.uptime ? span(each.uptime) : "-",
    usage?.cpu === undefined ? "-" : `${(usage.cpu * 100).toFixed(1)}%`,
    share(usage?.mem, each.mem_quota),
    share(usage?.disk, each.disk_quota),
    plain(each.details ?? ""),
  ];
}

function partJson({ guid, type, instances, memory_in_mb, disk_in_mb, command, stats }: Part) {
  return { guid, type, command, instances, memory_in_mb, disk_in_mb, stats };
}
