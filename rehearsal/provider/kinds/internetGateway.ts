import {
  AttachInternetGatewayCommand,
  CreateInternetGatewayCommand,
  DeleteInternetGatewayCommand,
  DescribeInternetGatewaysCommand,
  DetachInternetGatewayCommand,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../aws.ts";
import { type Kind, text } from "../kind.ts";
import { tagsOf } from "../marks.ts";
import { orGone } from "../retry.ts";

export const internetGateway: Kind = {
  token: "aws:ec2/internetGateway:InternetGateway",
  tagged: "internet-gateway",
  fields: { vpcId: { chosen: true }, tags: {} },
  async create(aws, { inputs, tags }) {
    const TagSpecifications = [{ ResourceType: "internet-gateway" as const, Tags: [...tags] }];
    const made = await aws.ec2.send(new CreateInternetGatewayCommand({ TagSpecifications }));
    const id = made.InternetGateway?.InternetGatewayId ?? "";
    await attach(aws, id, text(inputs, "vpcId"));
    return id;
  },
  async read(aws, id) {
    const found = await orGone(aws.ec2.send(new DescribeInternetGatewaysCommand({ InternetGatewayIds: [id] })));
    const [one] = found?.InternetGateways ?? [];
    if (!one) return undefined;
    return {
      vpcId: one.Attachments?.[0]?.VpcId,
      ownerId: one.OwnerId,
      arn: `arn:aws:ec2:${aws.region}:${one.OwnerId}:internet-gateway/${id}`,
      tags: tagsOf(one.Tags),
      tagsAll: tagsOf(one.Tags),
    };
  },
  async update(aws, { id, before, inputs }) {
    await detach(aws, id, text(before, "vpcId"));
    await attach(aws, id, text(inputs, "vpcId"));
  },
  async remove(aws, id, state) {
    await detach(aws, id, text(state, "vpcId"));
    await orGone(aws.ec2.send(new DeleteInternetGatewayCommand({ InternetGatewayId: id })));
  },
};

async function attach(aws: Aws, InternetGatewayId: string, VpcId: string | undefined): Promise<void> {
  if (VpcId) await aws.ec2.send(new AttachInternetGatewayCommand({ InternetGatewayId, VpcId }));
}

async function detach(aws: Aws, InternetGatewayId: string, VpcId: string | undefined): Promise<void> {
  if (!VpcId) return;
  try {
    await orGone(aws.ec2.send(new DetachInternetGatewayCommand({ InternetGatewayId, VpcId })));
  } catch (error) {
    if ((error as Error).name !== "Gateway.NotAttached") throw error;
  }
}
