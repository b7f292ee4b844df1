import { InternetGateway } from "@pulumi/aws/ec2/internetGateway.js";
import { Route } from "@pulumi/aws/ec2/route.js";
import { RouteTable } from "@pulumi/aws/ec2/routeTable.js";
import { RouteTableAssociation } from "@pulumi/aws/ec2/routeTableAssociation.js";
import { SecurityGroup } from "@pulumi/aws/ec2/securityGroup.js";
import { Subnet } from "@pulumi/aws/ec2/subnet.js";
import { SubnetCidrReservation } from "@pulumi/aws/ec2/subnetCidrReservation.js";
import { Vpc } from "@pulumi/aws/ec2/vpc.js";
import { SecurityGroupEgressRule } from "@pulumi/aws/vpc/securityGroupEgressRule.js";
import { all, ComponentResource, type ComponentResourceOptions, type Input, type Output } from "@pulumi/pulumi";
import type { AwsSpec } from "../roles/aws.ts";
import { coreBlocks, defaultNetwork, subnets } from "../roles/subnets.ts";
import { declareOpenings } from "./firewall.ts";
import type { Opening } from "./ports.ts";
import type { Tags } from "./tags.ts";
import { tokens, withFormer } from "./tokens.ts";

export interface NetworkArgs {
  readonly aws: Pick<AwsSpec, "region" | "zones" | "network">;
  /** Openings of every node. */
  readonly doors: readonly Opening[];
  readonly tags: Tags;
}

/** Where the nodes stand: a network that is made or one that exists, and the firewall that all nodes share. */
export class Network extends ComponentResource {
  readonly vpc: Input<string>;
  /** Zone's whole name → id of its subnet. */
  readonly subnets: Readonly<Record<string, Input<string>>>;
  /** Id of the security group that says "this is a node of the cluster": it is the source of what is open inside. */
  readonly members: Output<string>;

  constructor(name: string, args: NetworkArgs, options?: ComponentResourceOptions) {
    super(tokens.network.type, name, {}, withFormer(tokens.network, options));
    const { vpc, subnets: given } = args.aws.network;
    const whole = (found: Readonly<Record<string, Input<string>>>) =>
      Object.fromEntries(Object.entries(found).map(([zone, id]) => [`${args.aws.region}${zone}`, id]));
    if (vpc && given) {
      this.vpc = vpc;
      this.subnets = whole(given);
    } else {
      const made = this.#make(name, args);
      this.vpc = made.vpc.id;
      this.subnets = whole(made.subnets);
    }
    this.members = this.#members(name, args);
    this.registerOutputs({ vpc: this.vpc, subnets: this.subnets });
  }

  #make(name: string, { aws, tags }: NetworkArgs): { vpc: Vpc; subnets: Record<string, Output<string>> } {
    const mine = { parent: this };
    const cidrBlock = aws.network.cidr ?? defaultNetwork;
    const vpc = new Vpc(name, { cidrBlock, enableDnsHostnames: true, enableDnsSupport: true, tags }, mine);
    const gateway = new InternetGateway(name, { vpcId: vpc.id, tags }, mine);
    const table = new RouteTable(name, { vpcId: vpc.id, tags }, mine);
    const outward = { routeTableId: table.id, destinationCidrBlock: "0.0.0.0/0", gatewayId: gateway.id };
    const route = new Route(`${name}-internet`, outward, mine);
    const made = subnets(cidrBlock, aws.zones).map((planned) => {
      const { zone, cidr } = planned;
      const place = { vpcId: vpc.id, cidrBlock: cidr, availabilityZone: `${aws.region}${zone}` };
      const subnet = new Subnet(`${name}-${zone}`, { ...place, mapPublicIpOnLaunch: true, tags }, mine);
      const link = { subnetId: subnet.id, routeTableId: table.id };
      // A machine that boots before its subnet has a way out finds neither its agent nor its packages.
      const ready = new RouteTableAssociation(`${name}-${zone}`, link, { ...mine, dependsOn: route });
      const kept = coreBlocks(planned).map((block, i) => this.#reserve(`${name}-${zone}-${i}`, subnet.id, block));
      return [zone, all([subnet.id, ready.id, ...kept]).apply(([id = ""]) => id)] as const;
    });
    return { vpc, subnets: Object.fromEntries(made) };
  }

  /** EC2 gives none of these addresses away by itself: a core that is made or made anew finds its own free. */
  #reserve(name: string, subnetId: Input<string>, cidrBlock: string): Output<string> {
    const args = { subnetId, cidrBlock, reservationType: "explicit", description: "Addresses of cores" };
    return new SubnetCidrReservation(name, args, { parent: this }).id;
  }

  #members(name: string, { doors, tags }: NetworkArgs): Output<string> {
    const mine = { parent: this };
    const description = "Nodes of the cluster: what is open to them only names this group as its source";
    const group = new SecurityGroup(`${name}-members`, { vpcId: this.vpc, description, tags }, mine);
    const out = { securityGroupId: group.id, cidrIpv4: "0.0.0.0/0", ipProtocol: "-1", tags };
    new SecurityGroupEgressRule(`${name}-members-out`, out, mine);
    declareOpenings({
      name: `${name}-members`,
      group: group.id,
      members: group.id,
      openings: doors,
      tags,
      parent: this,
    });
    return group.id;
  }
}
