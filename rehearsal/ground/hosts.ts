import { overlap } from "../vpc/addresses.ts";
import type { Host, MetadataAccess, Network, Picture } from "../vpc/picture.ts";
import type { Birth, Seen, SeenInstance } from "./seen.ts";

/**
 * What is seen, and what is known of births → the network as it should be. Left out: an instance without a network, and
 * a network with addresses that another one has, as all are behind one router here.
 */
export function pictureOf(seen: Seen, births: ReadonlyMap<string, Birth>, region: string): Picture {
  const networks = apart(seen.networks);
  const hosts = seen.instances.flatMap((instance) => {
    const host = hostOf(instance, networks, region);
    return host ? [{ ...host, ...fromBirth(births.get(host.id)) }] : [];
  });
  return { networks, groups: seen.groups, hosts: uniqueBy(hosts, ({ privateAddress }) => privateAddress) };
}

function apart(networks: readonly Network[]): Network[] {
  const taken: Network[] = [];
  for (const network of networks) if (!taken.some(({ cidr }) => overlap(cidr, network.cidr))) taken.push(network);
  return taken;
}

/** The first of each. */
function uniqueBy<T>(all: readonly T[], key: (one: T) => string): T[] {
  return [...new Map(all.toReversed().map((one) => [key(one), one])).values()].reverse();
}

const fromBirth = (birth: Birth | undefined) =>
  birth && { userData: birth.userData, key: birth.key, profile: birth.profile };

function hostOf(instance: SeenInstance, networks: readonly Network[], region: string): Host | undefined {
  const {
    InstanceId: id,
    PrivateIpAddress: privateAddress,
    PublicIpAddress,
    SubnetId,
    NetworkInterfaces = [],
  } = instance;
  const network = networks.find(({ subnets }) => subnets.some((subnet) => subnet.id === SubnetId));
  const subnet = network?.subnets.find((each) => each.id === SubnetId);
  const nic = NetworkInterfaces[0];
  if (!network || !subnet || !privateAddress || !nic?.MacAddress) return undefined;
  // Those of the interface are the ones that count; an instance that was launched with interfaces tells no others.
  const groups = (nic.Groups ?? instance.SecurityGroups ?? []).map(({ GroupId = "", GroupName = "" }) => ({
    id: GroupId,
    name: GroupName,
  }));
  return {
    ...{ id, privateAddress, subnet, groups, mac: nic.MacAddress.toLowerCase(), nic: nic.NetworkInterfaceId ?? "" },
    network: { id: network.id, cidr: network.cidr },
    privateName: privateName(privateAddress, region),
    ...(PublicIpAddress && { publicAddress: PublicIpAddress, publicName: publicName(PublicIpAddress, region) }),
    access: accessOf(instance),
    launch: launchOf(instance, region),
    ...(instance.MetadataOptions?.InstanceMetadataTags === "enabled" && { tags: tagsOf(instance) }),
  };
}

function accessOf({ MetadataOptions: options }: SeenInstance): MetadataAccess {
  return {
    enabled: options?.HttpEndpoint !== "disabled",
    token: options?.HttpTokens === "required",
    hops: Math.min(64, Math.max(1, options?.HttpPutResponseHopLimit ?? 1)),
  };
}

function launchOf(instance: SeenInstance, region: string): Host["launch"] {
  return {
    image: instance.ImageId ?? "",
    type: instance.InstanceType ?? "",
    architecture: instance.Architecture ?? "x86_64",
    account: instance.account,
    region,
    zone: instance.Placement?.AvailabilityZone ?? "",
    reservation: instance.reservation,
    index: instance.AmiLaunchIndex ?? 0,
    at: (instance.LaunchTime ?? new Date(0)).toISOString().replace(/\.\d+Z/, "Z"),
  };
}

const tagsOf = ({ Tags = [] }: SeenInstance) =>
  Object.fromEntries(Tags.map(({ Key = "", Value = "" }) => [Key, Value]));

const dashes = (address: string) => address.replaceAll(".", "-");

/** EC2's oldest region has names of its own. */
const privateName = (address: string, region: string) =>
  `ip-${dashes(address)}.${region === "us-east-1" ? "ec2" : `${region}.compute`}.internal`;
const publicName = (address: string, region: string) =>
  `ec2-${dashes(address)}.${region === "us-east-1" ? "compute-1" : `${region}.compute`}.amazonaws.com`;
