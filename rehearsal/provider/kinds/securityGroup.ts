import {
  CreateSecurityGroupCommand,
  DeleteSecurityGroupCommand,
  DescribeSecurityGroupsCommand,
  RevokeSecurityGroupEgressCommand,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../aws.ts";
import { type Kind, text } from "../kind.ts";
import { tagsOf } from "../marks.ts";
import { orGone } from "../retry.ts";

/** Its rules are resources of their own; the real provider takes them inline as well. */
export const securityGroup: Kind = {
  token: "aws:ec2/securityGroup:SecurityGroup",
  tagged: "security-group",
  named: "name",
  fields: {
    name: { replaces: true },
    description: { replaces: true, default: "Managed by Pulumi" },
    vpcId: { replaces: true, chosen: true },
    revokeRulesOnDelete: {},
    tags: {},
  },
  async create(aws, { inputs, tags }) {
    const command = new CreateSecurityGroupCommand({
      GroupName: text(inputs, "name"),
      Description: text(inputs, "description"),
      VpcId: text(inputs, "vpcId"),
      TagSpecifications: [{ ResourceType: "security-group", Tags: [...tags] }],
    });
    const id = (await aws.ec2.send(command)).GroupId ?? "";
    await shut(aws, id);
    return id;
  },
  finish: shut,
  async read(aws, id) {
    const found = await orGone(aws.ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [id] })));
    const [one] = found?.SecurityGroups ?? [];
    if (!one) return undefined;
    return {
      name: one.GroupName,
      description: one.Description,
      vpcId: one.VpcId,
      ownerId: one.OwnerId,
      arn: one.SecurityGroupArn ?? `arn:aws:ec2:${aws.region}:${one.OwnerId}:security-group/${id}`,
      tags: tagsOf(one.Tags),
      tagsAll: tagsOf(one.Tags),
    };
  },
  async remove(aws, id) {
    await orGone(aws.ec2.send(new DeleteSecurityGroupCommand({ GroupId: id })));
  },
};

/** EC2 lets a new group out to everywhere; the real provider takes that back, so that only declared rules hold. */
async function shut(aws: Aws, GroupId: string): Promise<void> {
  const everywhere = { IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] };
  await orGone(aws.ec2.send(new RevokeSecurityGroupEgressCommand({ GroupId, IpPermissions: [everywhere] })));
}
