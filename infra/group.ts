import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import { InstanceProfile } from "@pulumi/aws/iam/instanceProfile.js";
import { Role } from "@pulumi/aws/iam/role.js";
import { RolePolicy } from "@pulumi/aws/iam/rolePolicy.js";
import { ComponentResource, type ComponentResourceOptions, type Input, type Output, output } from "@pulumi/pulumi";
import type { RoleName } from "../roles/role.ts";
import { declareOpenings } from "./firewall.ts";
import type { Opening } from "./ports.ts";
import { machinesOnly, rights } from "./rights.ts";
import type { Tags } from "./tags.ts";
import { tokens, withFormer } from "./tokens.ts";

export interface GroupArgs {
  readonly roles: readonly RoleName[];
  readonly openings: readonly Opening[];
  readonly vpc: Input<string>;
  readonly members: Input<string>;
  /** ARN of the cluster's bucket. */
  readonly bucket: Input<string>;
  readonly tags: Tags;
}

/**
 * What follows from the roles of a group of nodes: what is open and what they may do. It hangs on the group and not on
 * the node, so that new roles change rules and a policy here, and nothing at the machine but its tags.
 */
export class Group extends ComponentResource {
  /** Id of the security group. */
  readonly wall: Output<string>;
  /** Name of the instance profile. */
  readonly profile: Output<string>;

  constructor(name: string, args: GroupArgs, options?: ComponentResourceOptions) {
    super(tokens.group.type, name, {}, withFormer(tokens.group, options));
    this.wall = this.#wall(name, args);
    this.profile = this.#profile(name, args);
    this.registerOutputs({});
  }

  #wall(name: string, { vpc, members, openings, tags }: GroupArgs): Output<string> {
    const description = "What the roles of this group of nodes open";
    const group = new SecurityGroup(name, { vpcId: vpc, description, tags }, { parent: this });
    declareOpenings({ name, group: group.id, members, openings, tags, parent: this });
    return group.id;
  }

  #profile(name: string, { roles, bucket, tags }: GroupArgs): Output<string> {
    const mine = { parent: this };
    const role = new Role(name, { assumeRolePolicy: machinesOnly, tags }, mine);
    const policy = output(bucket).apply((arn) => rights(arn, roles));
    new RolePolicy(name, { role: role.id, policy }, mine);
    return new InstanceProfile(name, { role: role.name, tags }, mine).name;
  }
}
