import {
  DescribeAddressesCommand,
  DescribeInstancesCommand,
  DescribeInternetGatewaysCommand,
  DescribeKeyPairsCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVolumesCommand,
  DescribeVpcsCommand,
  type Instance,
} from "@aws-sdk/client-ec2";
import { ListInstanceProfilesCommand, ListRolesCommand } from "@aws-sdk/client-iam";
import { ListBucketsCommand } from "@aws-sdk/client-s3";
import type { Ground } from "./pulumiEngine.ts";

/** Machines that are there: not those that are gone. */
export async function machines({ ec2 }: Ground): Promise<Instance[]> {
  const { Reservations = [] } = await ec2.send(new DescribeInstancesCommand({}));
  const all = Reservations.flatMap(({ Instances = [] }) => Instances);
  return all.filter(({ State }) => State?.Name !== "terminated" && State?.Name !== "shutting-down");
}

export async function machine(ground: Ground): Promise<Instance> {
  const [one, ...others] = await machines(ground);
  if (!one || others.length > 0) throw new Error(`there is not one machine but ${others.length + (one ? 1 : 0)}`);
  return one;
}

export const tagOf = ({ Tags = [] }: Pick<Instance, "Tags">, key: string): string | undefined =>
  Tags.find(({ Key }) => Key === key)?.Value;

/** Kind → how many of it somebody has made. What every account and every region has by itself does not count. */
export async function census(ground: Ground): Promise<Record<string, number>> {
  const { ec2, iam, s3 } = ground;
  const { Vpcs = [] } = await ec2.send(new DescribeVpcsCommand({}));
  const own = (all: { VpcId?: string }[]) => {
    const foreign = new Set(Vpcs.filter(({ IsDefault }) => IsDefault).map(({ VpcId }) => VpcId));
    return all.filter(({ VpcId }) => !foreign.has(VpcId)).length;
  };
  const { SecurityGroups = [] } = await ec2.send(new DescribeSecurityGroupsCommand({}));
  return {
    machines: (await machines(ground)).length,
    volumes: (await ec2.send(new DescribeVolumesCommand({}))).Volumes?.length ?? 0,
    vpcs: own(Vpcs),
    subnets: own((await ec2.send(new DescribeSubnetsCommand({}))).Subnets ?? []),
    groups: own(SecurityGroups.filter(({ GroupName }) => GroupName !== "default")),
    gateways: (await ec2.send(new DescribeInternetGatewaysCommand({}))).InternetGateways?.length ?? 0,
    addresses: (await ec2.send(new DescribeAddressesCommand({}))).Addresses?.length ?? 0,
    keys: (await ec2.send(new DescribeKeyPairsCommand({}))).KeyPairs?.length ?? 0,
    roles: (await iam.send(new ListRolesCommand({}))).Roles?.length ?? 0,
    profiles: (await iam.send(new ListInstanceProfilesCommand({}))).InstanceProfiles?.length ?? 0,
    buckets: (await s3.send(new ListBucketsCommand({}))).Buckets?.length ?? 0,
  };
}

/** Kinds of which anything is left. */
export async function leftovers(ground: Ground): Promise<string[]> {
  const counts = Object.entries(await census(ground));
  return counts.filter(([, count]) => count > 0).map(([kind, count]) => `${count} ${kind}`);
}
