import { z } from "zod";

// The canonical form of every message: what we emit is the output type, what we accept is looser. Unknown keys are
// ignored and null equals absent (the decoder drops nulls before these schemas see them).

/** An application id on the bus: numbers of the oldest dialect are read as strings; compare as strings only. */
export const id = z.union([z.string(), z.number()]).transform(String);

export const unix = z.number().transform(Math.floor);

export const index = z.number().int().min(0);

export const partition = z.string().default("default");

export const list = z.array(z.string());

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

export const defaultLimits = { mem: 512, disk: 256, fds: 1024 };

export const nothing = z.object({});

export const runtimeInfo = z.object({
  name: z.string(),
  version: z.string().optional(),
  executable: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
});

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

export const exitReason = z.enum(["STOPPED", "CRASHED", "DEA_SHUTDOWN", "DEA_EVACUATION"]);
