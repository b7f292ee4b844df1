import {
  CreateSubnetCommand,
  DeleteSubnetCommand,
  DescribeSubnetsCommand,
  ModifySubnetAttributeCommand,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../aws.ts";
import { type Kind, text } from "../kind.ts";
import { tagsOf } from "../marks.ts";
import { orGone } from "../retry.ts";

export const subnet: Kind = {
  token: "aws:ec2/subnet:Subnet",
  tagged: "subnet",
  fields: {
    vpcId: { required: true, replaces: true },
    cidrBlock: { required: true, replaces: true },
    availabilityZone: { replaces: true, chosen: true },
    mapPublicIpOnLaunch: { default: false },
    tags: {},
  },
  async create(aws, { inputs, tags }) {
    const command = new CreateSubnetCommand({
      VpcId: text(inputs, "vpcId"),
      CidrBlock: text(inputs, "cidrBlock"),
      AvailabilityZone: text(inputs, "availabilityZone"),
      TagSpecifications: [{ ResourceType: "subnet", Tags: [...tags] }],
    });
    const id = (await aws.ec2.send(command)).Subnet?.SubnetId ?? "";
    if (inputs["mapPublicIpOnLaunch"] === true) await mapPublic(aws, id, true);
    return id;
  },
  async read(aws, id) {
    const found = await orGone(aws.ec2.send(new DescribeSubnetsCommand({ SubnetIds: [id] })));
    const [one] = found?.Subnets ?? [];
    if (!one) return undefined;
    return {
      vpcId: one.VpcId,
      cidrBlock: one.CidrBlock,
      availabilityZone: one.AvailabilityZone,
      availabilityZoneId: one.AvailabilityZoneId,
      mapPublicIpOnLaunch: one.MapPublicIpOnLaunch,
      ownerId: one.OwnerId,
      arn: one.SubnetArn,
      tags: tagsOf(one.Tags),
      tagsAll: tagsOf(one.Tags),
    };
  },
  async update(aws, { id, inputs }) {
    await mapPublic(aws, id, inputs["mapPublicIpOnLaunch"] === true);
  },
  async remove(aws, id) {
    await orGone(aws.ec2.send(new DeleteSubnetCommand({ SubnetId: id })));
  },
};

async function mapPublic(aws: Aws, SubnetId: string, Value: boolean): Promise<void> {
  await aws.ec2.send(new ModifySubnetAttributeCommand({ SubnetId, MapPublicIpOnLaunch: { Value } }));
}
