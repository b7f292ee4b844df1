import { z } from "zod";
import { list, unix } from "./values.ts";

export const announce = z.object({
  type: z.string(),
  index: z.number().default(0),
  uuid: z.string(),
  host: z.string(),
  credentials: z.tuple([z.string(), z.string()]),
  // Ours: the status server speaks HTTPS.
  tls: z.boolean().optional(),
  start: z.string(),
  uptime: z.string().optional(),
});
export type Announce = z.output<typeof announce>;

/** `[time, "USER" | "SYSTEM", actor?, action, object, "SUCCEEDED" | "FAILED" …]` */
export const ccEvent = z.array(z.unknown());

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
