import { z } from "zod";
import type { DeaStart } from "../bus/messages/instance.ts";
import { exitReason, instanceState, limits } from "../bus/messages/values.ts";

export const identity = z.object({ pid: z.number(), started: z.number(), boot: z.string() });

/** What an instance looks like on disk and in memory. It has no environment: secrets live in the process only. */
export const instanceRecord = z.object({
  id: z.string(),
  /** Known to routers only: the key of sticky sessions. */
  privateId: z.string(),
  droplet: z.string(),
  version: z.string(),
  index: z.number(),
  name: z.string(),
  partition: z.string(),
  /** Under this name the logs go; `type` is the process type of the app. */
  app: z.string(),
  type: z.string(),
  runtime: z.string(),
  framework: z.string(),
  uris: z.array(z.string()),
  limits,
  /** Name of its directory, and the number of its user. */
  directory: z.string(),
  slot: z.number(),
  port: z.number().optional(),
  flapping: z.boolean(),
  health: z.object({ type: z.string(), endpoint: z.string(), timeout: z.number() }),
  state: instanceState,
  /** Milliseconds: of the state, and of the start. */
  since: z.number(),
  born: z.number(),
  identity: identity.optional(),
  /** Why it is about to end. */
  doom: z.object({ reason: exitReason, description: z.string() }).optional(),
  exit: z
    .object({ reason: exitReason, status: z.number(), description: z.string(), told: z.boolean(), at: z.number() })
    .optional(),
});

export type Instance = z.output<typeof instanceRecord>;

export type Doom = NonNullable<Instance["doom"]>;

/** What this DEA adds to a start message when it accepts it. */
export interface Birth {
  id: string;
  privateId: string;
  slot: number;
  port: number | undefined;
  now: number;
}

export function born(start: DeaStart, { id, privateId, slot, port, now }: Birth): Instance {
  const text = (key: string) => (typeof start.vcap_application?.[key] === "string" ? start.vcap_application[key] : "");
  return {
    id,
    privateId,
    slot,
    port,
    droplet: start.droplet,
    version: start.version,
    index: start.index,
    name: start.name,
    partition: start.cc_partition,
    app: String(text("application_id") || start.droplet),
    type: String(text("process_type") || "web"),
    runtime: start.runtime,
    framework: start.framework,
    uris: [...new Set(start.uris)],
    limits: start.limits,
    directory: directoryOf(start.name, start.index, id),
    flapping: start.flapping ?? false,
    health: {
      type: start.health_check?.type ?? (port === undefined ? "process" : "port"),
      endpoint: start.health_check?.endpoint ?? "/",
      timeout: start.health_check_timeout ?? 60,
    },
    state: "STARTING",
    since: now,
    born: now,
  };
}

/** A name that is one path component whatever the app is called. */
export function directoryOf(name: string, index: number, id: string): string {
  const safe = name.replace(/[^A-Za-z0-9_-]+/g, "_").slice(0, 64);
  return `${safe}-${index}-${id}`;
}
