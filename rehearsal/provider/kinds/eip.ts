import {
  AllocateAddressCommand,
  AssociateAddressCommand,
  DescribeAddressesCommand,
  DisassociateAddressCommand,
  ReleaseAddressCommand,
} from "@aws-sdk/client-ec2";
import { type Kind, text } from "../kind.ts";
import { tagsOf } from "../marks.ts";
import { orGone } from "../retry.ts";

export const eip: Kind = {
  token: "aws:ec2/eip:Eip",
  tagged: "elastic-ip",
  fields: { domain: { replaces: true, chosen: true, oneOf: ["vpc"] }, tags: {} },
  async create(aws, { tags }) {
    const TagSpecifications = [{ ResourceType: "elastic-ip" as const, Tags: [...tags] }];
    const made = await aws.ec2.send(new AllocateAddressCommand({ Domain: "vpc", TagSpecifications }));
    return made.AllocationId ?? "";
  },
  async read(aws, id) {
    const found = await orGone(aws.ec2.send(new DescribeAddressesCommand({ AllocationIds: [id] })));
    const [one] = found?.Addresses ?? [];
    if (!one) return undefined;
    const address = one.PublicIp ?? "";
    return {
      domain: one.Domain,
      allocationId: id,
      publicIp: address,
      publicDns: `ec2-${address.replaceAll(".", "-")}.${aws.region}.compute.amazonaws.com`,
      arn: `arn:aws:ec2:${aws.region}:123456789012:elastic-ip/${id}`,
      tags: tagsOf(one.Tags),
      tagsAll: tagsOf(one.Tags),
    };
  },
  async remove(aws, id) {
    await orGone(aws.ec2.send(new ReleaseAddressCommand({ AllocationId: id })));
  },
};

export const eipAssociation: Kind = {
  token: "aws:ec2/eipAssociation:EipAssociation",
  fields: {
    allocationId: { replaces: true, chosen: true },
    instanceId: { replaces: true, chosen: true },
    networkInterfaceId: { replaces: true, chosen: true },
    publicIp: { replaces: true, chosen: true },
    allowReassociation: { replaces: true },
  },
  async create(aws, { inputs }) {
    const command = new AssociateAddressCommand({
      AllocationId: text(inputs, "allocationId"),
      PublicIp: text(inputs, "publicIp"),
      InstanceId: text(inputs, "instanceId"),
      NetworkInterfaceId: text(inputs, "networkInterfaceId"),
      // A router that is replaced hands its address on: the new machine takes it before the old one goes.
      AllowReassociation: inputs["allowReassociation"] !== false,
    });
    return (await aws.ec2.send(command)).AssociationId ?? "";
  },
  async read(aws, id) {
    const Filters = [{ Name: "association-id", Values: [id] }];
    const { Addresses = [] } = await aws.ec2.send(new DescribeAddressesCommand({ Filters }));
    const [one] = Addresses;
    if (!one) return undefined;
    return {
      allocationId: one.AllocationId,
      instanceId: one.InstanceId,
      networkInterfaceId: one.NetworkInterfaceId,
      privateIpAddress: one.PrivateIpAddress,
      publicIp: one.PublicIp,
    };
  },
  async remove(aws, id) {
    await orGone(aws.ec2.send(new DisassociateAddressCommand({ AssociationId: id })));
  },
};
