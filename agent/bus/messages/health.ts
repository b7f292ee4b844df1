import { z } from "zod";
import { id, index, list, partition, unix } from "./values.ts";

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
