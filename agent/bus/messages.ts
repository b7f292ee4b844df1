import { z } from "zod";

// The canonical form of every message: what we emit is the output type, what we accept is looser. Unknown keys are
// ignored and null equals absent (the decoder drops nulls before these schemas see them).

/** An application id on the bus: numbers of the oldest dialect are read as strings; compare as strings only. */
export const id = z.union([z.string(), z.number()]).transform(String);
const unix = z.number().transform(Math.floor);
const index = z.number().int().min(0);
const partition = z.string().default("default");
const list = z.array(z.string());

export const instanceState = z.enum([
  "BORN",
  "STARTING",
  "RESUMING",
  "RUNNING",
  "EVACUATING",
  "STOPPING",
  "STOPPED",
  "CRASHED",
  "DELETED",
]);
export type InstanceState = z.output<typeof instanceState>;

/** MiB, MiB, count. */
export const limits = z.object({
  mem: z.number().default(512),
  disk: z.number().default(256),
  fds: z.number().default(1024),
});
const defaultLimits = { mem: 512, disk: 256, fds: 1024 };

export const nothing = z.object({});

export const announce = z.object({
  type: z.string(),
  index: z.number().default(0),
  uuid: z.string(),
  host: z.string(),
  credentials: z.tuple([z.string(), z.string()]),
  start: z.string(),
  uptime: z.string().optional(),
});
export type Announce = z.output<typeof announce>;

export const deaHello = z.object({
  id: z.string(),
  ip: z.string(),
  port: z.number().default(0),
  version: z.union([z.string(), z.number()]).transform(String),
});

export const deaStatus = deaHello.extend({
  max_memory: z.number(),
  reserved_memory: z.number(),
  used_memory: z.number(),
  num_clients: z.number().default(0),
  state: z.string().optional(),
});

export const runtimeInfo = z.object({
  name: z.string(),
  version: z.string().optional(),
  executable: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
});

export const deaDiscover = z.object({
  droplet: id,
  name: z.string().default(""),
  limits: limits.default(defaultLimits),
  runtime: z.string().default(""),
  runtime_info: runtimeInfo.optional(),
  prod: z.boolean().default(false),
  sha: z.string().default(""),
  // Ours: set by a controller that gathers all offers, so that the answer need not be delayed by load.
  gather: z.boolean().optional(),
});
export type DeaDiscover = z.output<typeof deaDiscover>;

/** The answer to dea.discover: the hello, and from a DEA of ours what placement needs to choose well. */
export const deaOffer = deaHello.extend({
  available_memory: z.number().optional(),
  available_disk: z.number().optional(),
  max_memory: z.number().optional(),
  app_id_to_count: z.record(z.string(), z.number()).optional(),
  placement_properties: z.object({ zone: z.string().default("default") }).optional(),
});
export type DeaOffer = z.output<typeof deaOffer>;

export const deaAdvertise = z.object({
  id: z.string(),
  available_memory: z.number(),
  available_disk: z.number().optional(),
  runtimes: list.default([]),
  stacks: list.default([]),
  prod: z.boolean().default(false),
  app_id_to_count: z.record(z.string(), z.number()).default({}),
  placement_properties: z.object({ zone: z.string().default("default") }).default({ zone: "default" }),
  // Ours: this DEA answers dea.{uuid}.start when it is sent as a request.
  ack: z.number().optional(),
});
export type DeaAdvertise = z.output<typeof deaAdvertise>;

export const serviceForApp = z.object({
  name: z.string(),
  label: z.string(),
  vendor: z.string().default(""),
  version: z.string().default(""),
  type: z.string().default(""),
  plan: z.string().default(""),
  plan_option: z.string().optional(),
  tags: list.default([]),
  credentials: z.record(z.string(), z.unknown()).default({}),
});

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

export const exitReason = z.enum(["STOPPED", "CRASHED", "DEA_SHUTDOWN", "DEA_EVACUATION"]);

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

export const deaShutdown = z.object({
  id: z.string(),
  ip: z.string().default(""),
  version: z.union([z.string(), z.number()]).transform(String),
  app_id_to_count: z.record(z.string(), z.number()).default({}),
});

export const dropletUpdated = z.object({ droplet: id, cc_partition: partition });

export const hmHealth = z.object({ droplets: z.array(z.object({ droplet: id, version: z.string() })) });
export const hmHealthReply = z.object({ droplet: id, version: z.string(), healthy: z.number() });
export const hmStatus = z.object({ droplet: id, version: z.string().optional(), state: z.string() });
export const hmStatusReply = z.object({
  indices: z.array(z.object({ index, since: unix })).optional(),
  instances: z.array(z.object({ instance: z.string(), since: unix })).optional(),
});

/** What a health manager asks of a controller. `last_updated` (Unix seconds) fences against acting on stale knowledge. */
export const hmRequest = z.object({
  op: z.enum(["START", "STOP", "SPINDOWN"]),
  droplet: id,
  last_updated: unix.default(0),
  version: z.string().optional(),
  indices: z.array(index).optional(),
  instances: list.optional(),
  flapping: z.boolean().optional(),
});
export type HmRequest = z.output<typeof hmRequest>;

/** `url` is ours: the base of the bulk interface, so that a health manager needs no setting for it. */
export const bulkCredentials = z.object({ user: z.string(), password: z.string(), url: z.string().optional() });

/** JSON types here are exact: a real router drops a whole message for one number where it wants a string. */
export const routerRegister = z.object({
  host: z.string(),
  port: z.number().int().min(0).max(65535),
  uris: list.default([]),
  app: z.string().optional(),
  dea: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
  private_instance_id: z.string().optional(),
  private_instance_index: z.string().optional(),
  stale_threshold_in_seconds: z.number().int().optional(),
});
export type RouterRegister = z.output<typeof routerRegister>;

export const routerStart = z.object({
  id: z.string(),
  hosts: list.default([]),
  version: z.number().optional(),
  minimumRegisterIntervalInSeconds: z.number().default(20),
  pruneThresholdInSeconds: z.number().default(120),
});
export type RouterStart = z.output<typeof routerStart>;

/** `[time, "USER" | "SYSTEM", actor?, action, object, "SUCCEEDED" | "FAILED" …]` */
export const ccEvent = z.array(z.unknown());

export const stagingRequest = z.object({
  app_id: id,
  properties: z.object({
    services: z.array(serviceForApp).default([]),
    /** Empty: detect. */
    framework: z.string().default(""),
    runtime: z.string().default(""),
    resources: limits.default(defaultLimits),
    environment: list.default([]),
    meta: z
      .object({ debug: z.string().optional(), console: z.boolean().optional(), command: z.string().optional() })
      .default({}),
  }),
  download_uri: z.string(),
  upload_uri: z.string(),
  notify_subj: z.string().optional(),
});
export type StagingRequest = z.output<typeof stagingRequest>;

/** `error` is JSON in a string, `{"class","details"}`, or plain text. The rest are the names dea_ng gave to build-time facts. */
export const stagingResult = z.object({
  task_id: z.string(),
  task_log: z.string().default(""),
  error: z.string().optional(),
  detected_buildpack: z.string().optional(),
  buildpack_key: z.string().optional(),
  detected_start_command: z.string().optional(),
  /** Process type → command. */
  procfile: z.record(z.string(), z.string()).optional(),
  droplet_sha1: z.string().optional(),
});
export type StagingResult = z.output<typeof stagingResult>;

/** Lines of an app's log. `source` APP, STG, CELL, API, HEALTH or RTR; `at` Unix milliseconds. */
export const logLines = z.object({
  app: z.string(),
  source: z.string(),
  instance: z.string().default(""),
  lines: z.array(z.object({ at: z.number(), err: z.boolean().optional(), text: z.string() })),
});
export type LogLines = z.output<typeof logLines>;

/** What each node says of itself once a beat. */
export const nodeBeat = z.object({
  id: z.string(),
  address: z.string(),
  version: z.string(),
  roles: list,
  components: z.array(z.object({ name: z.string(), state: z.string(), since: unix, reason: z.string().optional() })),
});
export type NodeBeat = z.output<typeof nodeBeat>;

/** What the recorder of the core saw of an app, oldest first. `from` is a component id where the message tells it. */
export const traceReply = z.object({
  messages: z.array(z.object({ at: z.number(), subject: z.string(), what: z.string(), from: z.string().optional() })),
});
export type TraceReply = z.output<typeof traceReply>;
