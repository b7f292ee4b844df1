import { availableParallelism } from "node:os";
import type { z } from "zod";
import type { deaFound, instanceStats, usage } from "../bus/messages/instance.ts";
import { webAddress } from "../bus/web.ts";
import type { Instance } from "./instance.ts";
import type { Self } from "./payloads.ts";

/** Bytes, bytes, percent of one core; `at` in milliseconds. */
export interface Usage {
  memory: number;
  disk: number;
  cpu: number;
  at: number;
}

export type Stats = z.output<typeof instanceStats>;

export function stats(self: Self, one: Instance, { usage, now }: { usage: Usage | undefined; now: number }): Stats {
  return {
    name: one.name,
    uris: one.uris,
    host: self.address,
    port: one.port,
    uptime: Math.max(0, (now - (one.state === "RUNNING" ? one.since : one.born)) / 1000),
    mem_quota: one.limits.mem * 2 ** 20,
    disk_quota: one.limits.disk * 2 ** 20,
    fds_quota: one.limits.fds,
    cores: availableParallelism(),
    ...(usage ? { usage: usageOf(usage) } : {}),
  };
}

function usageOf({ memory, disk, cpu, at }: Usage): z.output<typeof usage> {
  const time = new Date(at)
    .toISOString()
    .replace("T", " ")
    .replace(/\.\d+Z$/, " +0000");
  return { time, cpu: Math.round(cpu * 10) / 10, mem: Math.round(memory / 1024), mem_bytes: memory, disk };
}

export interface Seen {
  credentials: [string, string];
  stats: Stats | undefined;
}

export function found(self: Self, one: Instance, { credentials, stats }: Seen): z.output<typeof deaFound> {
  return {
    dea: self.id,
    droplet: one.droplet,
    version: one.version,
    instance: one.id,
    index: one.index,
    state: one.state,
    state_timestamp: Math.floor(one.since / 1000),
    file_uri: `${webAddress(self.tls, self.address, self.filePort)}/droplets/`,
    staged: one.directory,
    credentials,
    ...(stats ? { stats } : {}),
    ...(one.exit ? { exit_status: one.exit.status, exit_description: one.exit.description } : {}),
  };
}
