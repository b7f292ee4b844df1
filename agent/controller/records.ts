import { z } from "zod";

// What the controller remembers: one bucket of the store for each record, keyed by guid. Times are ISO 8601 in UTC.

const base = { guid: z.string(), created_at: z.string(), updated_at: z.string() };
const metadata = z
  .object({ labels: z.record(z.string(), z.string()), annotations: z.record(z.string(), z.string()) })
  .default({ labels: {}, annotations: {} });

export const user = z.object({ ...base, username: z.string(), passwordHash: z.string(), admin: z.boolean() });
export type User = z.output<typeof user>;

export const organization = z.object({ ...base, name: z.string(), suspended: z.boolean().default(false), metadata });
export type Organization = z.output<typeof organization>;

export const space = z.object({ ...base, name: z.string(), organization: z.string(), metadata });
export type Space = z.output<typeof space>;

export const domain = z.object({
  ...base,
  name: z.string(),
  internal: z.boolean().default(false),
  /** Absent: shared by all organizations. */
  organization: z.string().optional(),
  metadata,
});
export type Domain = z.output<typeof domain>;

export const app = z.object({
  ...base,
  name: z.string(),
  space: z.string(),
  state: z.enum(["STARTED", "STOPPED"]),
  /** Frameworks to use instead of detecting one. */
  buildpacks: z.array(z.string()).default([]),
  stack: z.string(),
  env: z.record(z.string(), z.string()).default({}),
  /** The droplet that starts use. */
  droplet: z.string().optional(),
  features: z.record(z.string(), z.boolean()).default({}),
  metadata,
});
export type App = z.output<typeof app>;

const healthCheck = z.object({
  type: z.enum(["port", "process", "http"]),
  endpoint: z.string().optional(),
  /** Seconds. */
  timeout: z.number().optional(),
  invocation_timeout: z.number().optional(),
});

export const processRecord = z.object({
  ...base,
  app: z.string(),
  /** `web`, `worker` …; while a deployment rolls an app has two of type web. */
  type: z.string(),
  /** Overrides the droplet's command. */
  command: z.string().optional(),
  instances: z.number(),
  memory_in_mb: z.number(),
  disk_in_mb: z.number(),
  /** Version on the bus: renewed when what runs is to be replaced (start, restart, another droplet). */
  version: z.string(),
  health_check: healthCheck,
  /** What instances of this version go on with although it has been changed since. Means nothing under another version. */
  running: z
    .object({
      version: z.string(),
      command: z.string().optional(),
      memory_in_mb: z.number(),
      disk_in_mb: z.number(),
      health_check: healthCheck,
    })
    .optional(),
  /** Set while this process belongs to a rolling deployment. */
  deployment: z.string().optional(),
  /** The droplet its instances run while a deployment rolls; otherwise that of the app. */
  droplet: z.string().optional(),
  metadata,
});
export type Process = z.output<typeof processRecord>;

export const packageRecord = z.object({
  ...base,
  app: z.string(),
  state: z.enum(["AWAITING_UPLOAD", "PROCESSING_UPLOAD", "READY", "FAILED", "COPYING", "EXPIRED"]),
  /** Blob of the zip. */
  sha256: z.string().optional(),
  error: z.string().optional(),
  /** While bits are being taken in: the controller that does it. */
  controller: z.string().optional(),
  metadata,
});
export type Package = z.output<typeof packageRecord>;

export const build = z.object({
  ...base,
  app: z.string(),
  package: z.string(),
  state: z.enum(["STAGING", "STAGED", "FAILED"]),
  error: z.string().optional(),
  buildpacks: z.array(z.string()).default([]),
  stack: z.string(),
  memory_in_mb: z.number(),
  disk_in_mb: z.number(),
  droplet: z.string().optional(),
  created_by: z.string(),
  metadata,
});
export type Build = z.output<typeof build>;

export const droplet = z.object({
  ...base,
  app: z.string(),
  package: z.string().optional(),
  build: z.string().optional(),
  state: z.enum(["AWAITING_UPLOAD", "STAGED", "FAILED", "COPYING", "EXPIRED"]),
  /** Blob of the tarball, and its SHA-1, which is its name on the bus. */
  sha256: z.string().optional(),
  sha1: z.string().optional(),
  size: z.number().default(0),
  error: z.string().optional(),
  stack: z.string(),
  /** Process type → command. */
  process_types: z.record(z.string(), z.string()).default({}),
  detected_framework: z.string().optional(),
  execution_metadata: z.string().default(""),
  metadata,
});
export type Droplet = z.output<typeof droplet>;

export const route = z.object({
  ...base,
  host: z.string(),
  path: z.string(),
  domain: z.string(),
  space: z.string(),
  destinations: z.array(
    z.object({ guid: z.string(), app: z.string(), process_type: z.string(), port: z.number().optional() }),
  ),
  metadata,
});
export type Route = z.output<typeof route>;

export const deployment = z.object({
  ...base,
  app: z.string(),
  status: z.enum(["ACTIVE", "FINALIZED"]),
  reason: z.enum(["DEPLOYING", "CANCELING", "DEPLOYED", "CANCELED", "SUPERSEDED"]),
  strategy: z.literal("rolling"),
  droplet: z.string(),
  previousDroplet: z.string().optional(),
  /** The process that replaces the old one. */
  process: z.string(),
  maxInFlight: z.number().default(1),
  last_successful_healthcheck: z.string().optional(),
  /** Instances the app had when the roll began: what it has again when it ends. Set by whoever rolls. */
  instances: z.number().optional(),
  /** The controller that rolls it. `beats` grows while it works; another takes over when it stands still. */
  roller: z.object({ holder: z.string(), beats: z.number() }).optional(),
  metadata,
});
export type Deployment = z.output<typeof deployment>;

export const job = z.object({
  ...base,
  operation: z.string(),
  state: z.enum(["PROCESSING", "POLLING", "COMPLETE", "FAILED"]),
  errors: z.array(z.object({ code: z.number(), title: z.string(), detail: z.string() })).default([]),
  /** What the job works on: `app`, `space` …, and its guid. */
  kind: z.string().optional(),
  resource: z.string().optional(),
  /** The controller that works on it. */
  controller: z.string().optional(),
  /** The user who asked for it. */
  by: z.string().optional(),
});
export type Job = z.output<typeof job>;

export const role = z.object({
  ...base,
  type: z.string(),
  user: z.string(),
  organization: z.string().optional(),
  space: z.string().optional(),
});
export type Role = z.output<typeof role>;

export const event = z.object({
  ...base,
  type: z.string(),
  actor: z.object({ guid: z.string(), type: z.string(), name: z.string() }),
  target: z.object({ guid: z.string(), type: z.string(), name: z.string() }),
  data: z.record(z.string(), z.unknown()).default({}),
  space: z.string().optional(),
  organization: z.string().optional(),
});
export type Event = z.output<typeof event>;

/** A single file of an upload that later uploads need not send again. Key: its SHA-1. */
export const resource = z.object({ sha256: z.string(), size: z.number() });
export type Resource = z.output<typeof resource>;

/** One of a kind, keyed by name: `license` (who took the license step), keys shared by all controllers. */
export const license = z.object({
  /** The guid of the first user. */
  user: z.string(),
  email: z.string(),
  at: z.string(),
  /** Until the first user stands, so that a step that broke off can be finished. */
  passwordHash: z.string().optional(),
});
export type License = z.output<typeof license>;
/** Base64 keys and passwords made once for the cluster; never shown, never logged. */
export const keys = z.object({ tokens: z.string(), urls: z.string(), bulk: z.string(), staging: z.string() });
export type Keys = z.output<typeof keys>;
