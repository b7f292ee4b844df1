import { z } from "zod";
import { claimShape, nodeSpec } from "./node.ts";

/**
 * What a machine is told when it is born, by its user data: the node it shall become, where its agent comes from, and
 * how it proves to the core that it is expected. Everything else it finds out on the spot (address, home, memory).
 */
export const birth = z.strictObject({
  /** What goes into `node.json`; the boot adds address, home, tools, memory and disk. */
  node: nodeSpec
    .pick({ id: true, cluster: true, domain: true, roles: true, index: true, zone: true, beat: true, ports: true })
    .extend({
      crashLifetime: z.number().min(0).default(3600),
      /** MiB that apps may use; absent: the boot takes half of what it finds. */
      memory: nodeSpec.shape.memory.optional(),
      disk: nodeSpec.shape.disk.optional(),
    }),
  /** Addresses of all cores, this node's own among them when it is one. */
  cores: z.array(z.string()),
  /** `s3://bucket/key` of the cluster's authority and join secret: for cores, whose machines alone may read it. */
  authority: z.string().optional(),
  bundle: z.strictObject({
    version: z.string(),
    sha256: z.string().regex(/^[0-9a-f]{64}$/),
    /** Tried in order, each several times: `s3://bucket/key` (by the instance's own role) or `https://…`. */
    sources: z.array(z.string()).min(1),
  }),
  /** Region of the bucket and of the API. */
  region: z.string(),
  /** PEM of the cluster's certificate authority: public. */
  ca: z.string(),
  /** Single use, short-lived, bound to the instance when it is traded in: the one secret that user data may carry. */
  claim: claimShape,
  /** True when the packages that the roles need are in the image already. */
  baked: z.boolean().default(false),
});
export type Birth = z.output<typeof birth>;
