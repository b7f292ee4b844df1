import {
  DescribeInstanceAttributeCommand,
  DescribeInstancesCommand,
  DescribeVolumesCommand,
  type Instance,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../aws.ts";
import { type Kind, type Props, text } from "../kind.ts";
import { markKey, tagsOf } from "../marks.ts";
import { eventually, orGone } from "../retry.ts";
import { changeInstance } from "./instanceChange.ts";
import { launch } from "./instanceLaunch.ts";

export const instance: Kind = {
  token: "aws:ec2/instance:Instance",
  tagged: "instance",
  settled: ["userData", "userDataBase64", "rootBlockDevice"],
  fields: {
    ami: { replaces: true },
    instanceType: {},
    subnetId: { replaces: true, chosen: true },
    availabilityZone: { replaces: true, chosen: true },
    vpcSecurityGroupIds: { set: true, chosen: true },
    associatePublicIpAddress: { replaces: true, chosen: true },
    privateIp: { replaces: true, chosen: true },
    sourceDestCheck: { default: true },
    iamInstanceProfile: {},
    keyName: { replaces: true },
    userData: {},
    userDataBase64: {},
    userDataReplaceOnChange: {},
    instanceMarketOptions: { replaces: true, chosen: true },
    instanceInitiatedShutdownBehavior: { chosen: true, oneOf: ["stop", "terminate"] },
    disableApiTermination: { default: false },
    ebsOptimized: { replaces: true, chosen: true },
    monitoring: { chosen: true },
    rootBlockDevice: { chosen: true },
    metadataOptions: { chosen: true },
    volumeTags: {},
    tags: {},
  },
  async create(aws, wanted) {
    const { Instances = [] } = await aws.ec2.send(new RunInstancesCommand(await launch(aws, wanted)));
    const id = Instances[0]?.InstanceId;
    if (!id) throw new Error("EC2 answered without the instance it made");
    await running(aws, id);
    return id;
  },
  async read(aws, id, known) {
    const one = await find(aws, id);
    if (!one) return undefined;
    const rest = { ...(await userData(aws, id, known)), ...(await disk(aws, one)) };
    return { ...face(aws, one), ...rest, associatePublicIpAddress: isPublic(one, known) };
  },
  update: changeInstance,
  async remove(aws, id) {
    await orGone(aws.ec2.send(new TerminateInstancesCommand({ InstanceIds: [id] })));
    await eventually(async () => ((await find(aws, id)) ? undefined : true), `${id} is terminated`);
  },
};

/** An instance that is there; one that is going is gone. */
async function find(aws: Aws, id: string): Promise<Instance | undefined> {
  const found = await orGone(aws.ec2.send(new DescribeInstancesCommand({ InstanceIds: [id] })));
  const one = found?.Reservations?.[0]?.Instances?.[0];
  const state = one?.State?.Name;
  return state === "terminated" || state === "shutting-down" ? undefined : one;
}

async function running(aws: Aws, id: string): Promise<void> {
  await eventually(async () => {
    const one = await find(aws, id);
    if (!one) throw new Error(`${id} was terminated before it ran: look at its StateReason`);
    return one.State?.Name === "running" ? true : undefined;
  }, `${id} is running`);
}

function face(aws: Aws, one: Instance): Props {
  const tags = tagsOf(one.Tags);
  const [nic] = one.NetworkInterfaces ?? [];
  // Asked for at the interface, they may be told there only.
  const groups = (one.SecurityGroups?.length ? one.SecurityGroups : nic?.Groups) ?? [];
  const owner = nic?.OwnerId ?? "123456789012";
  return {
    arn: `arn:aws:ec2:${aws.region}:${owner}:instance/${one.InstanceId}`,
    ami: one.ImageId,
    instanceType: one.InstanceType,
    instanceState: one.State?.Name,
    subnetId: one.SubnetId,
    availabilityZone: one.Placement?.AvailabilityZone,
    vpcSecurityGroupIds: groups.map(({ GroupId }) => GroupId).sort(),
    privateIp: one.PrivateIpAddress,
    privateDns: one.PrivateDnsName,
    publicIp: one.PublicIpAddress ?? "",
    publicDns: one.PublicDnsName ?? "",
    primaryNetworkInterfaceId: nic?.NetworkInterfaceId,
    sourceDestCheck: one.SourceDestCheck ?? true,
    iamInstanceProfile: one.IamInstanceProfile?.Arn?.split("/").at(-1),
    keyName: one.KeyName,
    ebsOptimized: one.EbsOptimized,
    monitoring: one.Monitoring?.State === "enabled",
    metadataOptions: metadata(one),
    tags,
    tagsAll: tags,
  };
}

/** Asked for at birth. Later an elastic address looks the same, so it is read only of a machine nobody has asked for. */
function isPublic({ PublicIpAddress }: Instance, known: Props): unknown {
  if (Object.keys(known).length === 0) return PublicIpAddress !== undefined;
  return known["associatePublicIpAddress"];
}

function metadata({ MetadataOptions: options }: Instance): Props | undefined {
  if (!options) return undefined;
  return {
    httpEndpoint: options.HttpEndpoint,
    httpTokens: options.HttpTokens,
    httpPutResponseHopLimit: options.HttpPutResponseHopLimit,
    instanceMetadataTags: options.InstanceMetadataTags,
  };
}

/** Under the name the program gave it; nobody's program: as base64, which is what EC2 has. */
async function userData(aws: Aws, id: string, known: Props): Promise<Props> {
  const plain = text(known, "userData");
  if (!plain && !text(known, "userDataBase64") && Object.keys(known).length > 0) return {};
  const command = new DescribeInstanceAttributeCommand({ InstanceId: id, Attribute: "userData" });
  const value = (await aws.ec2.send(command)).UserData?.Value;
  if (!value) return {};
  return plain ? { userData: Buffer.from(value, "base64").toString("utf8") } : { userDataBase64: value };
}

async function disk(aws: Aws, one: Instance): Promise<Props> {
  const root = one.BlockDeviceMappings?.find(({ DeviceName }) => DeviceName === one.RootDeviceName);
  const volume = root?.Ebs?.VolumeId;
  if (!volume) return {};
  const found = await orGone(aws.ec2.send(new DescribeVolumesCommand({ VolumeIds: [volume] })));
  const [it] = found?.Volumes ?? [];
  if (!it) return {};
  const tags = tagsOf(it.Tags?.filter(({ Key }) => Key !== markKey));
  const { VolumeType: volumeType, Size: volumeSize, Encrypted: encrypted, Iops: iops, Throughput: throughput } = it;
  const deleteOnTermination = root?.Ebs?.DeleteOnTermination;
  const facts = {
    volumeId: volume,
    deviceName: one.RootDeviceName,
    volumeType,
    volumeSize,
    encrypted,
    iops,
    throughput,
  };
  return { rootBlockDevice: { ...facts, deleteOnTermination, tags } };
}
