import { SecurityGroupIngressRule } from "@pulumi/aws/vpc/securityGroupIngressRule.js";
import type { Input, Resource } from "@pulumi/pulumi";
import type { Opening } from "./ports.ts";
import type { Tags } from "./tags.ts";

export interface Wall {
  /** Name of the firewall; the rules' names begin with it. */
  readonly name: string;
  readonly group: Input<string>;
  /** Security group of the cluster's nodes. */
  readonly members: Input<string>;
  readonly openings: readonly Opening[];
  readonly tags: Tags;
  readonly parent: Resource;
}

/** A rule is a resource of its own: one that comes or goes leaves the others, and rules made by hand are seen as such. */
export function declareOpenings({ name, group, members, openings, tags, parent }: Wall): void {
  for (const { name: opening, first, last, from, why } of openings) {
    const source = from === "cluster" ? { referencedSecurityGroupId: members } : { cidrIpv4: from };
    const ports = { ipProtocol: "tcp", fromPort: first, toPort: last };
    const args = { securityGroupId: group, ...source, ...ports, description: why, tags };
    new SecurityGroupIngressRule(`${name}-${opening}`, args, { parent });
  }
}
