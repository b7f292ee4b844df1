import { z } from "zod";
import {
  defaultLimits,
  exitReason,
  id,
  index,
  instanceState,
  limits,
  list,
  partition,
  runtimeInfo,
  serviceForApp,
  unix,
} from "./values.ts";

export const deaStart = z.object({
  droplet: id,
  name: z.string(),
  index,
  version: z.string(),
  uris: list.default([]),
  sha1: z.string(),
  executableFile: z.string().default("deprecated"),
  executableUri: z.string(),
  runtime: z.string().default(""),
  runtime_info: runtimeInfo.optional(),
  framework: z.string().default(""),
  stack: z.string().default(""),
  prod: z.boolean().default(false),
  services: z.array(serviceForApp).default([]),
  limits: limits.default(defaultLimits),
  env: list.default([]),
  users: list.default([]),
  cc_partition: partition,
  debug: z.enum(["run", "suspend"]).optional(),
  console: z.boolean().default(false),
  flapping: z.boolean().optional(),
  start_command: z.string().optional(),
  /** Seconds. */
  health_check_timeout: z.number().optional(),
  /** Ours: `port` (default), `process` or `http` with its path. */
  health_check: z.object({ type: z.string(), endpoint: z.string().optional() }).optional(),
  /** Merged into VCAP_APPLICATION: application_id, application_name, space_name, process_type … */
  vcap_application: z.record(z.string(), z.unknown()).optional(),
});
export type DeaStart = z.output<typeof deaStart>;

/** Answer of our DEA to a start sent as a request. */
export const startAnswer = z.object({
  ok: z.boolean(),
  instance: z.string().optional(),
  reason: z.string().optional(),
});
export type StartAnswer = z.output<typeof startAnswer>;

/** Absent filters match all, empty lists match nothing; never send an empty list. */
export const instanceFilter = z.object({
  droplet: id,
  version: z.string().optional(),
  instances: list.optional(),
  instance_ids: list.optional(),
  indices: z.array(index).optional(),
  states: z.array(instanceState).optional(),
});
export type InstanceFilter = z.output<typeof instanceFilter>;

export const deaFind = instanceFilter.extend({ include_stats: z.boolean().optional(), path: z.string().optional() });

export const deaUpdate = z.object({
  droplet: id,
  uris: list,
  version: z.string().optional(),
  cc_partition: partition,
});

/** `cpu` percent of one core, `mem` KiB, `mem_bytes` and `disk` bytes. */
export const usage = z.object({
  time: z.string(),
  cpu: z.number(),
  mem: z.number(),
  mem_bytes: z.number().optional(),
  disk: z.number(),
});

export const instanceStats = z.object({
  name: z.string(),
  uris: list.default([]),
  host: z.string().optional(),
  port: z.number().optional(),
  uptime: z.number().default(0),
  mem_quota: z.number().default(0),
  disk_quota: z.number().default(0),
  fds_quota: z.number().default(0),
  cores: z.number().default(1),
  usage: usage.optional(),
});

export const deaFound = z.object({
  dea: z.string(),
  droplet: id,
  version: z.string(),
  instance: z.string(),
  index,
  state: instanceState,
  state_timestamp: unix,
  file_uri: z.string().optional(),
  staged: z.string().optional(),
  credentials: z.tuple([z.string(), z.string()]).optional(),
  file_uri_v2: z.string().optional(),
  stats: instanceStats.optional(),
  // Ours: why a retained crashed instance ended.
  exit_status: z.number().optional(),
  exit_description: z.string().optional(),
});
export type DeaFound = z.output<typeof deaFound>;

export const heartbeatEntry = z.object({
  droplet: id,
  version: z.string(),
  instance: z.string(),
  index,
  state: instanceState,
  state_timestamp: unix,
  cc_partition: partition,
});
export type HeartbeatEntry = z.output<typeof heartbeatEntry>;

/** Ours is always the complete list of the DEA, also when it is empty. */
export const deaHeartbeat = z.object({
  dea: z.string(),
  prod: z.boolean().default(false),
  droplets: z.array(heartbeatEntry),
});
export type DeaHeartbeat = z.output<typeof deaHeartbeat>;

export const dropletExited = z.object({
  droplet: id,
  version: z.string(),
  instance: z.string(),
  index,
  reason: exitReason,
  crash_timestamp: unix.optional(),
  cc_partition: partition,
  exit_status: z.number().default(-1),
  exit_description: z.string().default(""),
});
export type DropletExited = z.output<typeof dropletExited>;
