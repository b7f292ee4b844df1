import {
  AttachRolePolicyCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRolePolicyCommand,
  ListAttachedRolePoliciesCommand,
  PutRolePolicyCommand,
} from "@aws-sdk/client-iam";
import { type Kind, type Props, text } from "../kind.ts";
import { orGone } from "../retry.ts";
import { decoded } from "./iam.ts";

export const rolePolicy: Kind = {
  token: "aws:iam/rolePolicy:RolePolicy",
  named: "name",
  fields: {
    name: { replaces: true },
    role: { required: true, replaces: true },
    policy: { required: true, json: true },
  },
  async create(aws, { inputs }) {
    await aws.iam.send(new PutRolePolicyCommand(request(inputs)));
    return `${text(inputs, "role")}:${text(inputs, "name")}`;
  },
  async read(aws, id) {
    const [RoleName = "", PolicyName = ""] = id.split(":");
    const found = await orGone(aws.iam.send(new GetRolePolicyCommand({ RoleName, PolicyName })));
    return found && { name: PolicyName, role: RoleName, policy: decoded(found.PolicyDocument) };
  },
  async update(aws, { inputs }) {
    await aws.iam.send(new PutRolePolicyCommand(request(inputs)));
  },
  async remove(aws, id) {
    const [RoleName = "", PolicyName = ""] = id.split(":");
    await orGone(aws.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName })));
  },
};

function request(inputs: Props) {
  const names = { RoleName: text(inputs, "role"), PolicyName: text(inputs, "name") };
  return { ...names, PolicyDocument: text(inputs, "policy") };
}

export const rolePolicyAttachment: Kind = {
  token: "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
  fields: { role: { required: true, replaces: true }, policyArn: { required: true, replaces: true } },
  async create(aws, { inputs }) {
    const [RoleName, PolicyArn] = [text(inputs, "role"), text(inputs, "policyArn")];
    await aws.iam.send(new AttachRolePolicyCommand({ RoleName, PolicyArn }));
    return `${RoleName}/${PolicyArn}`;
  },
  async read(aws, id) {
    const slash = id.indexOf("/");
    const [RoleName, arn] = [id.slice(0, slash), id.slice(slash + 1)];
    const found = await orGone(aws.iam.send(new ListAttachedRolePoliciesCommand({ RoleName })));
    const there = found?.AttachedPolicies?.some(({ PolicyArn }) => PolicyArn === arn);
    return there ? { role: RoleName, policyArn: arn } : undefined;
  },
  async remove(aws, id) {
    const slash = id.indexOf("/");
    const names = { RoleName: id.slice(0, slash), PolicyArn: id.slice(slash + 1) };
    await orGone(aws.iam.send(new DetachRolePolicyCommand(names)));
  },
};
