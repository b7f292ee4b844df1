import { type Cell, list } from "./cell.ts";
import type { Instance } from "./instance.ts";
import { reserved } from "./resources.ts";
import { holds } from "./states.ts";

/** What /varz tells of a DEA. Memory in MiB, in the groups KiB, disk bytes, cpu percent. No configuration, no secrets. */
export function varz(cell: Cell): Record<string, unknown> {
  const all = list(cell);
  const held = reserved(all);
  const { capacity } = cell.settings;
  const used = all.reduce((sum, one) => sum + (cell.usage.get(one.id)?.memory ?? 0), 0);
  return {
    apps_max_memory: capacity.memory,
    apps_reserved_memory: held.memory,
    apps_used_memory: Math.round(used / 2 ** 20),
    num_apps: held.instances,
    num_crashed: all.filter((one) => one.state === "CRASHED").length,
    available_memory_ratio: 1 - held.memory / Math.max(1, capacity.memory),
    available_disk_ratio: 1 - held.disk / Math.max(1, capacity.disk),
    file_system_used_ratio: cell.used,
    ...(cell.leaving ? { state: "SHUTTING_DOWN" } : {}),
    running_apps: all.filter(holds).map((one) => shown(cell, one)),
    frameworks: grouped(cell, all, (one) => one.framework || "none"),
    runtimes: grouped(cell, all, (one) => one.runtime || "none"),
    isolation: { driver: cell.driver.name, user: cell.driver.user, missing: cell.driver.missing },
  };
}

function shown(cell: Cell, { privateId: _secret, ...one }: Instance) {
  return { ...one, usage: cell.usage.get(one.id) };
}

function grouped(cell: Cell, all: readonly Instance[], name: (one: Instance) => string) {
  const groups = Map.groupBy(all.filter(holds), name);
  return Object.fromEntries(
    [...groups].map(([key, members]) => {
      const sum = (of: (one: Instance) => number) => members.reduce((so, one) => so + of(one), 0);
      const used = {
        used_memory: Math.round(sum((one) => cell.usage.get(one.id)?.memory ?? 0) / 1024),
        reserved_memory: sum((one) => one.limits.mem) * 1024,
        used_disk: sum((one) => cell.usage.get(one.id)?.disk ?? 0),
        used_cpu: sum((one) => cell.usage.get(one.id)?.cpu ?? 0),
      };
      return [key, used];
    }),
  );
}
