import {
  CreateVpcCommand,
  DeleteVpcCommand,
  DescribeVpcAttributeCommand,
  DescribeVpcsCommand,
  ModifyVpcAttributeCommand,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../aws.ts";
import { type Kind, type Props, text } from "../kind.ts";
import { tagsOf } from "../marks.ts";
import { orGone } from "../retry.ts";

export const vpc: Kind = {
  token: "aws:ec2/vpc:Vpc",
  tagged: "vpc",
  fields: {
    cidrBlock: { required: true, replaces: true },
    instanceTenancy: { chosen: true, default: "default", oneOf: ["default", "dedicated"] },
    enableDnsSupport: { default: true },
    enableDnsHostnames: { default: false },
    tags: {},
  },
  async create(aws, { inputs, tags }) {
    const TagSpecifications = [{ ResourceType: "vpc" as const, Tags: [...tags] }];
    const command = new CreateVpcCommand({ CidrBlock: text(inputs, "cidrBlock"), TagSpecifications });
    const { Vpc } = await aws.ec2.send(command);
    const id = Vpc?.VpcId ?? "";
    // As EC2 makes it, a network has name service and no host names.
    if (inputs["enableDnsSupport"] === false) await setDns(aws, id, { EnableDnsSupport: { Value: false } });
    if (inputs["enableDnsHostnames"] === true) await setDns(aws, id, { EnableDnsHostnames: { Value: true } });
    return id;
  },
  async read(aws, id) {
    const found = await orGone(aws.ec2.send(new DescribeVpcsCommand({ VpcIds: [id] })));
    const [one] = found?.Vpcs ?? [];
    if (!one) return undefined;
    const attribute = (Attribute: "enableDnsSupport" | "enableDnsHostnames") =>
      aws.ec2.send(new DescribeVpcAttributeCommand({ VpcId: id, Attribute }));
    const [support, names] = await Promise.all([attribute("enableDnsSupport"), attribute("enableDnsHostnames")]);
    return {
      cidrBlock: one.CidrBlock,
      instanceTenancy: one.InstanceTenancy,
      enableDnsSupport: support.EnableDnsSupport?.Value,
      enableDnsHostnames: names.EnableDnsHostnames?.Value,
      ownerId: one.OwnerId,
      arn: `arn:aws:ec2:${aws.region}:${one.OwnerId}:vpc/${id}`,
      tags: tagsOf(one.Tags),
      tagsAll: tagsOf(one.Tags),
    };
  },
  async update(aws, { id, inputs, changed }) {
    const value = (key: string) => ({ Value: inputs[key] as boolean });
    if (changed.has("enableDnsSupport")) await setDns(aws, id, { EnableDnsSupport: value("enableDnsSupport") });
    if (changed.has("enableDnsHostnames")) await setDns(aws, id, { EnableDnsHostnames: value("enableDnsHostnames") });
  },
  async remove(aws, id) {
    await orGone(aws.ec2.send(new DeleteVpcCommand({ VpcId: id })));
  },
};

async function setDns(aws: Aws, VpcId: string, change: Props): Promise<void> {
  await aws.ec2.send(new ModifyVpcAttributeCommand({ VpcId, ...change }));
}
