import { z } from "zod";
import { list } from "./values.ts";

/** JSON types here are exact: a real router drops a whole message for one number where it wants a string. */
export const routerRegister = z.object({
  host: z.string(),
  /** 0: it speaks TLS only. */
  port: z.number().int().min(0).max(65535).default(0),
  uris: list.default([]),
  app: z.string().optional(),
  dea: z.string().optional(),
  tags: z.record(z.string(), z.string()).default({}),
  private_instance_id: z.string().optional(),
  private_instance_index: z.string().optional(),
  stale_threshold_in_seconds: z.number().int().optional(),
  /** Used instead of `port`, with TLS. */
  tls_port: z.number().int().min(0).max(65535).optional(),
  /** The name that the certificate has to be for. */
  server_cert_domain_san: z.string().optional(),
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
