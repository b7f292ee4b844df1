import {
  ComponentResource,
  type ComponentResourceOptions,
  type Output,
  output,
  secret,
  unsecret,
} from "@pulumi/pulumi";
import { type Authority, authorityOf } from "../pki/authority.ts";
import { Seed } from "./seed.ts";
import { tokens, withFormer } from "./tokens.ts";

export interface IdentityArgs {
  readonly cluster: string;
}

/** What makes a cluster this cluster: its authority and its join secret, made once and kept as Pulumi secrets. */
export class Identity extends ComponentResource {
  /** PEM: public, but for the preview of the first `up`, when it is not there yet. */
  readonly ca: Output<string>;
  /** Authority with its key, and the join secret. Secret as a whole. */
  readonly authority: Output<Authority>;

  constructor(name: string, { cluster }: IdentityArgs, options?: ComponentResourceOptions) {
    super(tokens.identity.type, name, {}, withFormer(tokens.identity, options));
    const kept = new Seed(name, { parent: this });
    const facts = output({ cluster, seed: kept.seed, created: kept.created });
    this.authority = secret(facts.apply(authorityOf));
    this.ca = unsecret(this.authority.certificate);
    this.registerOutputs({});
  }
}
