import {
  AuthorizeSecurityGroupEgressCommand,
  type AuthorizeSecurityGroupEgressCommandInput,
  AuthorizeSecurityGroupIngressCommand,
  type AuthorizeSecurityGroupIngressCommandInput,
  DescribeSecurityGroupRulesCommand,
  ModifySecurityGroupRulesCommand,
  RevokeSecurityGroupEgressCommand,
  RevokeSecurityGroupIngressCommand,
  type SecurityGroupRule,
} from "@aws-sdk/client-ec2";
import type { Aws } from "../aws.ts";
import { type Kind, number, type Props, text } from "../kind.ts";
import { tagsOf } from "../marks.ts";
import { isGone, orGone } from "../retry.ts";

const fields: Kind["fields"] = {
  securityGroupId: { required: true, replaces: true },
  ipProtocol: { required: true },
  fromPort: {},
  toPort: {},
  cidrIpv4: {},
  cidrIpv6: {},
  referencedSecurityGroupId: {},
  prefixListId: {},
  description: {},
  tags: {},
};

export const ingressRule: Kind = rule("Ingress", "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule");
export const egressRule: Kind = rule("Egress", "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule");

type Way = "Ingress" | "Egress";

function rule(way: Way, token: string): Kind {
  return {
    token,
    tagged: "security-group-rule",
    fields,
    async create(aws, { inputs, tags }) {
      const GroupId = text(inputs, "securityGroupId");
      const TagSpecifications = [{ ResourceType: "security-group-rule" as const, Tags: [...tags] }];
      const made = await authorize(aws, way, { GroupId, IpPermissions: [permission(inputs)], TagSpecifications });
      const [one] = made.SecurityGroupRules ?? [];
      if (!one?.SecurityGroupRuleId) throw new Error(`EC2 answered without the rule it made for ${GroupId}`);
      return one.SecurityGroupRuleId;
    },
    async read(aws, id) {
      const one = await find(aws, id);
      if (!one) return undefined;
      return {
        securityGroupId: one.GroupId,
        securityGroupRuleId: id,
        ipProtocol: one.IpProtocol,
        // EC2 says -1 where the protocol has no ports.
        fromPort: one.IpProtocol === "-1" ? undefined : one.FromPort,
        toPort: one.IpProtocol === "-1" ? undefined : one.ToPort,
        cidrIpv4: one.CidrIpv4,
        cidrIpv6: one.CidrIpv6,
        referencedSecurityGroupId: one.ReferencedGroupInfo?.GroupId,
        prefixListId: one.PrefixListId,
        // moto forgets it for rules that name a group: what is not told is not taken for a difference.
        ...(one.Description !== undefined && { description: one.Description }),
        arn: `arn:aws:ec2:${aws.region}:${one.GroupOwnerId}:security-group-rule/${id}`,
        tags: tagsOf(one.Tags),
        tagsAll: tagsOf(one.Tags),
      };
    },
    async update(aws, { id, inputs }) {
      const SecurityGroupRules = [{ SecurityGroupRuleId: id, SecurityGroupRule: content(inputs) }];
      const GroupId = text(inputs, "securityGroupId");
      await aws.ec2.send(new ModifySecurityGroupRulesCommand({ GroupId, SecurityGroupRules }));
    },
    async remove(aws, id, state) {
      const GroupId = text(state, "securityGroupId");
      const request = { GroupId, SecurityGroupRuleIds: [id] };
      if (way === "Ingress") await orGone(aws.ec2.send(new RevokeSecurityGroupIngressCommand(request)));
      else await orGone(aws.ec2.send(new RevokeSecurityGroupEgressCommand(request)));
    },
  };
}

type Permissions = AuthorizeSecurityGroupIngressCommandInput & AuthorizeSecurityGroupEgressCommandInput;

function authorize(aws: Aws, way: Way, request: Permissions) {
  if (way === "Ingress") return aws.ec2.send(new AuthorizeSecurityGroupIngressCommand(request));
  return aws.ec2.send(new AuthorizeSecurityGroupEgressCommand(request));
}

/** By filter and not by id: an API that forgets a rule with its group answers with none, and not with an error. */
async function find(aws: Aws, id: string): Promise<SecurityGroupRule | undefined> {
  const Filters = [{ Name: "security-group-rule-id", Values: [id] }];
  try {
    const { SecurityGroupRules = [] } = await aws.ec2.send(new DescribeSecurityGroupRulesCommand({ Filters }));
    return SecurityGroupRules.find(({ SecurityGroupRuleId }) => SecurityGroupRuleId === id);
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

function ports(inputs: Props) {
  const IpProtocol = text(inputs, "ipProtocol");
  return IpProtocol === "-1"
    ? { IpProtocol }
    : { IpProtocol, FromPort: number(inputs, "fromPort"), ToPort: number(inputs, "toPort") };
}

function permission(inputs: Props) {
  const [CidrIp, CidrIpv6] = [text(inputs, "cidrIpv4"), text(inputs, "cidrIpv6")];
  const [GroupId, PrefixListId] = [text(inputs, "referencedSecurityGroupId"), text(inputs, "prefixListId")];
  const Description = text(inputs, "description");
  return {
    ...ports(inputs),
    ...(CidrIp && { IpRanges: [{ CidrIp, Description }] }),
    ...(CidrIpv6 && { Ipv6Ranges: [{ CidrIpv6, Description }] }),
    ...(GroupId && { UserIdGroupPairs: [{ GroupId, Description }] }),
    ...(PrefixListId && { PrefixListIds: [{ PrefixListId, Description }] }),
  };
}

function content(inputs: Props) {
  return {
    ...ports(inputs),
    CidrIpv4: text(inputs, "cidrIpv4"),
    CidrIpv6: text(inputs, "cidrIpv6"),
    ReferencedGroupId: text(inputs, "referencedSecurityGroupId"),
    PrefixListId: text(inputs, "prefixListId"),
    Description: text(inputs, "description"),
  };
}
