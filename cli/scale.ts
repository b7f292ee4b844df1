import type { Api } from "./api.ts";
import type { Call } from "./call.ts";
import { findProcess, instancesOf, openApp } from "./find.ts";
import { restartApp } from "./lifecycle.ts";
import { poll } from "./poll.ts";
import { mebibytes } from "./quantity.ts";
import type { Instance, Process } from "./resources.ts";
import { bytes } from "./show.ts";

/** Changes number and size of instances. A new size means new instances, so a running app is restarted for it. */
export async function scale(call: Call): Promise<void> {
  const wanted = {
    ...optional("instances", call.whole("instances", { max: 10_000 })),
    ...optional("memory_in_mb", size(call, "mem")),
    ...optional("disk_in_mb", size(call, "disk")),
  };
  const { api, app, http } = await openApp(call);
  const before = await findProcess(api, app, call.text("process"));
  const changes = Object.entries(wanted).filter(([key, value]) => before[key as keyof Process] !== value);
  const after = changes.length
    ? await api.post<Process>(`/v3/processes/${before.guid}/actions/scale`, Object.fromEntries(changes))
    : before;
  const resized = after.memory_in_mb !== before.memory_in_mb || after.disk_in_mb !== before.disk_in_mb;
  if (resized && app.state === "STARTED") {
    call.io.note(`the new size needs new instances: restarting ${app.name} …`);
    await restartApp(call, { api, app, http });
  }
  if (app.state === "STARTED" && after.instances > before.instances) {
    const missing = await shortfall(api, after);
    if (missing) call.io.note(`note: ${missing}: tutti app ${app.name}`);
  }
  const { instances, memory_in_mb, disk_in_mb, type } = after;
  const words = `${app.name} (${type}): ${instances} ${instances === 1 ? "instance" : "instances"}, ${bytes(memory_in_mb * 2 ** 20)} memory, ${bytes(disk_in_mb * 2 ** 20)} disk`;
  call.io.result(
    { ok: true, app: app.name, process: type, instances, memory_in_mb, disk_in_mb, changed: changes.length > 0 },
    changes.length || Object.keys(wanted).length === 0 ? words : `${words} (nothing to change)`,
  );
}

/** More instances take a moment, and may have no place: what there is to say when they do not all run. */
async function shortfall(api: Api, process: Process): Promise<string | undefined> {
  let last: Instance[] = [];
  await poll(async () => {
    last = await instancesOf(api, process);
    const settled = last.every(({ state, details }) => state === "RUNNING" || (state === "DOWN" && details));
    return settled && last.length >= process.instances ? last : undefined;
  }, 5000);
  const running = last.filter(({ state }) => state === "RUNNING").length;
  if (running >= process.instances) return undefined;
  const why = last.find(({ state, details }) => state !== "RUNNING" && details)?.details;
  return `${running} of ${process.instances} run so far${why ? ` (${why})` : ""}`;
}

function size(call: Call, name: string): number | undefined {
  const text = call.text(name);
  return text === undefined ? undefined : mebibytes(text, `--${name}`);
}

function optional(key: string, value: number | undefined): Record<string, number> {
  return value === undefined ? {} : { [key]: value };
}
