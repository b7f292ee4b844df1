import { DescribeImagesCommand, type RunInstancesCommandInput } from "@aws-sdk/client-ec2";
import type { Aws } from "../aws.ts";
import { list, number, object, type Props, text, type Wanted } from "../kind.ts";
import { orGone } from "../retry.ts";

/** Inputs → the one call that makes the machine. */
export async function launch(aws: Aws, { inputs, tags, token }: Wanted): Promise<RunInstancesCommandInput> {
  const base64 = text(inputs, "userDataBase64") ?? encoded(text(inputs, "userData"));
  const profile = text(inputs, "iamInstanceProfile");
  const zone = text(inputs, "availabilityZone");
  const market = object(inputs, "instanceMarketOptions");
  const devices = await rootDevice(aws, inputs);
  const volumeTags = pairs({ ...object(inputs, "volumeTags"), ...object(object(inputs, "rootBlockDevice"), "tags") });
  return {
    ClientToken: token,
    MinCount: 1,
    MaxCount: 1,
    ImageId: text(inputs, "ami"),
    InstanceType: text(inputs, "instanceType") as never,
    KeyName: text(inputs, "keyName"),
    UserData: base64,
    EbsOptimized: inputs["ebsOptimized"] as boolean | undefined,
    DisableApiTermination: inputs["disableApiTermination"] === true || undefined,
    InstanceInitiatedShutdownBehavior: text(inputs, "instanceInitiatedShutdownBehavior") as never,
    Monitoring: inputs["monitoring"] === true ? { Enabled: true } : undefined,
    IamInstanceProfile: profile ? { Name: profile } : undefined,
    Placement: zone ? { AvailabilityZone: zone } : undefined,
    InstanceMarketOptions: text(market, "marketType") ? { MarketType: text(market, "marketType") as never } : undefined,
    MetadataOptions: metadataRequest(object(inputs, "metadataOptions")) as never,
    BlockDeviceMappings: devices,
    ...network(inputs),
    TagSpecifications: [
      { ResourceType: "instance", Tags: [...tags] },
      ...(volumeTags.length > 0 ? [{ ResourceType: "volume" as const, Tags: volumeTags }] : []),
    ],
  };
}

/** A public address can only be asked for at an interface of its own, and then all of the network is said there. */
function network(inputs: Props): Partial<RunInstancesCommandInput> {
  const [SubnetId, PrivateIpAddress] = [text(inputs, "subnetId"), text(inputs, "privateIp")];
  const groups = list(inputs, "vpcSecurityGroupIds");
  const Groups = groups.length > 0 ? groups : undefined;
  const open = inputs["associatePublicIpAddress"];
  if (typeof open !== "boolean") return { SubnetId, PrivateIpAddress, SecurityGroupIds: Groups };
  // EC2 lets an interface that it makes with a machine go with it, and its address with both; moto has to be told so.
  const nic = { DeviceIndex: 0, AssociatePublicIpAddress: open, DeleteOnTermination: true };
  return { NetworkInterfaces: [{ ...nic, SubnetId, PrivateIpAddress, Groups }] };
}

/** The real provider names the image's own root device; the request needs its name. */
async function rootDevice(aws: Aws, inputs: Props): Promise<RunInstancesCommandInput["BlockDeviceMappings"]> {
  const root = object(inputs, "rootBlockDevice");
  if (Object.keys(root).length === 0) return undefined;
  const found = await orGone(aws.ec2.send(new DescribeImagesCommand({ ImageIds: [text(inputs, "ami") ?? ""] })));
  const DeviceName = found?.Images?.[0]?.RootDeviceName ?? "/dev/sda1";
  const Ebs = {
    VolumeType: text(root, "volumeType") as never,
    VolumeSize: number(root, "volumeSize"),
    Encrypted: root["encrypted"] as boolean | undefined,
    Iops: number(root, "iops"),
    Throughput: number(root, "throughput"),
    DeleteOnTermination: root["deleteOnTermination"] !== false,
  };
  return [{ DeviceName, Ebs }];
}

export function metadataRequest(options: Props): Props | undefined {
  if (Object.keys(options).length === 0) return undefined;
  return {
    HttpEndpoint: text(options, "httpEndpoint"),
    HttpTokens: text(options, "httpTokens"),
    HttpPutResponseHopLimit: number(options, "httpPutResponseHopLimit"),
    InstanceMetadataTags: text(options, "instanceMetadataTags"),
  };
}

export function encoded(plain: string | undefined): string | undefined {
  return plain === undefined ? undefined : Buffer.from(plain, "utf8").toString("base64");
}

const pairs = (tags: Props) => Object.entries(tags).map(([Key, Value]) => ({ Key, Value: String(Value) }));
