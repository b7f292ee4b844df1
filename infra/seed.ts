import { CustomResource, type CustomResourceOptions, type Output } from "@pulumi/pulumi";

/**
 * What the engine's provider for dynamic resources runs. It takes a program as text: `dynamic.Resource` would make that
 * text out of functions, with a TypeScript compiler, at each run; here it is simply written. Made once: nothing is a
 * difference, so nothing ever makes it anew but destroying the cluster.
 */
const provider = `
const { randomBytes } = require("node:crypto");
exports.handler = () => ({
  async diff() {
    return { changes: false };
  },
  async create() {
    const seed = randomBytes(32).toString("base64");
    return { id: randomBytes(8).toString("hex"), outs: { seed, created: new Date().toISOString() } };
  },
});
`;

/** 32 random bytes that the stack's state keeps encrypted: all that a cluster's identity comes from. */
export class Seed extends CustomResource {
  /** Base64. Secret. */
  declare readonly seed: Output<string>;
  /** Instant, ISO 8601. */
  declare readonly created: Output<string>;

  constructor(name: string, options: CustomResourceOptions = {}) {
    const props = { __provider: provider, seed: undefined, created: undefined };
    super("pulumi-nodejs:dynamic/infra:Seed", name, props, { ...options, additionalSecretOutputs: ["seed"] });
  }
}
