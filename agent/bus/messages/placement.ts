import { z } from "zod";
import { defaultLimits, id, limits, list, runtimeInfo } from "./values.ts";

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

export const deaShutdown = z.object({
  id: z.string(),
  ip: z.string().default(""),
  version: z.union([z.string(), z.number()]).transform(String),
  app_id_to_count: z.record(z.string(), z.number()).default({}),
});
