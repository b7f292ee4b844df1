import { z } from "zod";
import { defaultLimits, id, limits, list, serviceForApp } from "./values.ts";

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
