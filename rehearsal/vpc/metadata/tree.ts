import type { Host } from "../picture.ts";

/** What a caller may ask for: a leaf is text, a branch is listed. */
export type Tree = string | { readonly [name: string]: Tree };

/** Below `/latest/meta-data/`. */
export function metaData(host: Host, credentials: string): Tree {
  const { launch, privateName, privateAddress, publicAddress, publicName, profile, key, tags } = host;
  const groups = host.groups.map(({ name }) => name).join("\n");
  return {
    "ami-id": launch.image,
    "ami-launch-index": String(launch.index),
    "ami-manifest-path": "(unknown)",
    ...(profile && { iam: iam(profile, launch.at, credentials) }),
    hostname: privateName,
    "instance-action": "none",
    "instance-id": host.id,
    "instance-life-cycle": "on-demand",
    "instance-type": launch.type,
    "local-hostname": privateName,
    "local-ipv4": privateAddress,
    mac: host.mac,
    network: { interfaces: { macs: { [host.mac]: nic(host, groups) } } },
    placement: placement(launch),
    profile: "default-hvm",
    ...(publicAddress && { "public-hostname": publicName ?? "", "public-ipv4": publicAddress }),
    ...(key && { "public-keys": { [`0=${key.name}`]: { "openssh-key": `${key.text.trim()}\n` } } }),
    "reservation-id": launch.reservation,
    "security-groups": groups,
    services: { domain: "amazonaws.com", partition: "aws" },
    ...(tags && { tags: { instance: tags } }),
  };
}

function nic(host: Host, groups: string): Tree {
  const { publicAddress, publicName, network, subnet } = host;
  return {
    "device-number": "0",
    "interface-id": host.nic,
    ...(publicAddress && { "ipv4-associations": { [publicAddress]: host.privateAddress } }),
    "local-hostname": host.privateName,
    "local-ipv4s": host.privateAddress,
    mac: host.mac,
    "owner-id": host.launch.account,
    ...(publicAddress && { "public-hostname": publicName ?? "", "public-ipv4s": publicAddress }),
    "security-group-ids": host.groups.map(({ id }) => id).join("\n"),
    "security-groups": groups,
    "subnet-id": subnet.id,
    "subnet-ipv4-cidr-block": subnet.cidr,
    "vpc-id": network.id,
    "vpc-ipv4-cidr-block": network.cidr,
    "vpc-ipv4-cidr-blocks": network.cidr,
  };
}

function placement({ region, zone, zoneId }: Host["launch"]): Tree {
  return { "availability-zone": zone, ...(zoneId && { "availability-zone-id": zoneId }), region };
}

function iam({ arn, id, role }: NonNullable<Host["profile"]>, at: string, credentials: string): Tree {
  const info = { Code: "Success", LastUpdated: at, InstanceProfileArn: arn, InstanceProfileId: id };
  return { info: JSON.stringify(info, undefined, 2), "security-credentials": { [role]: credentials } };
}

/** Below `/latest/dynamic/`. Unsigned: nobody could check it. */
export function dynamic({ launch, id, privateAddress }: Host): Tree {
  const document = {
    accountId: launch.account,
    architecture: launch.architecture,
    availabilityZone: launch.zone,
    billingProducts: null,
    devpayProductCodes: null,
    marketplaceProductCodes: null,
    imageId: launch.image,
    instanceId: id,
    instanceType: launch.type,
    kernelId: null,
    pendingTime: launch.at,
    privateIp: privateAddress,
    ramdiskId: null,
    region: launch.region,
    version: "2017-09-30",
  };
  return { "instance-identity": { document: JSON.stringify(document, undefined, 2) } };
}

/** The text at a path, or the list of what is below it; undefined when there is nothing. */
export function bodyAt(tree: Tree | undefined, path: readonly string[]): string | undefined {
  let here = tree;
  for (const name of path) {
    if (here === undefined || typeof here === "string") return undefined;
    // The list of keys says `0=name`, and one asks for `0`.
    const key: string | undefined = Object.hasOwn(here, name)
      ? name
      : Object.keys(here).find((each) => each.startsWith(`${name}=`));
    if (key === undefined) return undefined;
    here = here[key];
  }
  return here === undefined || typeof here === "string" ? here : listing(here);
}

function listing(tree: Exclude<Tree, string>): string {
  const names = Object.keys(tree);
  return names.map((name) => (/^\d+=/.test(name) || typeof tree[name] === "string" ? name : `${name}/`)).join("\n");
}
