import {
  DescribeAddressesCommand,
  DescribeKeyPairsCommand,
  type Filter,
  type Instance,
  paginateDescribeInstances,
  paginateDescribeInternetGateways,
  paginateDescribeRouteTables,
  paginateDescribeSecurityGroups,
  paginateDescribeSubnets,
  paginateDescribeVolumes,
  paginateDescribeVpcs,
} from "@aws-sdk/client-ec2";
import type { Account } from "./inventoryAccount.ts";
import { asked } from "./inventoryFault.ts";
import { type AwsTag, type Found, type FoundKind, marksOf } from "./inventoryFound.ts";
import { tagKeys } from "./tags.ts";

/** What carries our tags, or those of one cluster. */
const mine = (cluster?: string): Filter[] => [
  cluster ? { Name: `tag:${tagKeys.cluster}`, Values: [cluster] } : { Name: "tag-key", Values: [tagKeys.cluster] },
];

/** Machines of clusters in the account's region, and no others. Throws AwsFault. */
export async function findMachines(account: Account, cluster?: string): Promise<Found[]> {
  const states = ["pending", "running", "stopping", "stopped", "shutting-down"];
  const Filters = [...mine(cluster), { Name: "instance-state-name", Values: states }];
  const pages = paginateDescribeInstances({ client: account.ec2 }, { Filters });
  const all = await listed(account, "instances", pages, ({ Reservations = [] }) =>
    Reservations.flatMap(({ Instances = [] }) => Instances),
  );
  return all.flatMap((instance) => machineOf(account.region, instance));
}

function machineOf(region: string, instance: Instance): Found[] {
  const marks = marksOf(instance.Tags);
  if (!marks || !instance.InstanceId) return [];
  const { group, roles, ...common } = marks;
  const machine = {
    ...{ group, roles, state: instance.State?.Name ?? "", type: instance.InstanceType ?? "" },
    ...{ spot: instance.InstanceLifecycle === "spot", zone: instance.Placement?.AvailabilityZone ?? "" },
    ...{ image: instance.ImageId ?? "", network: instance.VpcId ?? "", subnet: instance.SubnetId ?? "" },
    ...{ privateAddress: instance.PrivateIpAddress ?? "", publicAddress: instance.PublicIpAddress ?? "" },
  };
  return [
    { kind: "instance", id: instance.InstanceId, region, ...common, created: instance.LaunchTime?.getTime(), machine },
  ];
}

/** Everything else of EC2 that carries our tags, in the account's region. Throws AwsFault. */
export async function findBelongings(account: Account, cluster?: string): Promise<Found[]> {
  const { ec2: client } = account;
  const query = { Filters: mine(cluster) };
  const lists = await Promise.all([
    asked(`listing addresses in ${account.region}`, client.send(new DescribeAddressesCommand(query))).then(
      ({ Addresses = [] }) =>
        Addresses.map((one) => ({
          ...thing("address", one.AllocationId, one.Tags),
          ...{ ip: one.PublicIp, heldBy: one.InstanceId ?? one.NetworkInterfaceId ?? "" },
        })),
    ),
    listed(account, "volumes", paginateDescribeVolumes({ client }, query), ({ Volumes = [] }) =>
      Volumes.map((one) => ({
        ...thing("volume", one.VolumeId, one.Tags, one.CreateTime),
        ...{ gib: one.Size, heldBy: one.Attachments?.[0]?.InstanceId ?? "" },
      })),
    ),
    listed(account, "firewalls", paginateDescribeSecurityGroups({ client }, query), ({ SecurityGroups = [] }) =>
      SecurityGroups.map((one) => thing("firewall", one.GroupId, one.Tags)),
    ),
    listed(account, "subnets", paginateDescribeSubnets({ client }, query), ({ Subnets = [] }) =>
      Subnets.map((one) => ({ ...thing("subnet", one.SubnetId, one.Tags), zone: one.AvailabilityZone })),
    ),
    listed(account, "route tables", paginateDescribeRouteTables({ client }, query), ({ RouteTables = [] }) =>
      RouteTables.map((one) => thing("route-table", one.RouteTableId, one.Tags)),
    ),
    listed(account, "gateways", paginateDescribeInternetGateways({ client }, query), ({ InternetGateways = [] }) =>
      InternetGateways.map((one) => thing("gateway", one.InternetGatewayId, one.Tags)),
    ),
    listed(account, "networks", paginateDescribeVpcs({ client }, query), ({ Vpcs = [] }) =>
      Vpcs.map((one) => thing("network", one.VpcId, one.Tags)),
    ),
    asked(`listing keys in ${account.region}`, client.send(new DescribeKeyPairsCommand(query))).then(
      ({ KeyPairs = [] }) => KeyPairs.map((one) => thing("key", one.KeyName, one.Tags, one.CreateTime)),
    ),
  ]);
  return lists.flat().flatMap((one) => found(account.region, one));
}

interface Thing extends Pick<Found, "kind" | "heldBy" | "ip" | "zone" | "gib"> {
  readonly id: string | undefined;
  readonly tags: readonly AwsTag[] | undefined;
  readonly created: Date | undefined;
}

const thing = (
  kind: FoundKind,
  id: string | undefined,
  tags: readonly AwsTag[] | undefined,
  created?: Date,
): Thing => ({
  ...{ kind, id, tags, created },
});

/** Judged once more by its tags: a filter that an API does not know lets everything through. */
function found(region: string, { id, tags, created, ...rest }: Thing): Found[] {
  const marks = marksOf(tags);
  if (!marks || !id) return [];
  const { group: _, roles: __, ...common } = marks;
  return [{ ...rest, id, region, ...common, created: created?.getTime() }];
}

async function listed<P, T>(
  account: Account,
  what: string,
  pages: AsyncIterable<P>,
  of: (page: P) => T[],
): Promise<T[]> {
  const all = async () => {
    const items: T[] = [];
    for await (const page of pages) items.push(...of(page));
    return items;
  };
  return asked(`listing ${what} in ${account.region}`, all());
}
