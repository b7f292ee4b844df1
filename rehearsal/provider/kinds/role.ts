import {
  CreateRoleCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetRoleCommand,
  ListAttachedRolePoliciesCommand,
  ListRolePoliciesCommand,
  TagRoleCommand,
  UntagRoleCommand,
  UpdateAssumeRolePolicyCommand,
  UpdateRoleCommand,
} from "@aws-sdk/client-iam";
import type { Aws } from "../aws.ts";
import { type Kind, number, object, text } from "../kind.ts";
import { tagsOf } from "../marks.ts";
import { orGone } from "../retry.ts";
import { decoded, ours, tagChange } from "./iam.ts";

export const role: Kind = {
  token: "aws:iam/role:Role",
  named: "name",
  fields: {
    name: { replaces: true },
    path: { replaces: true, default: "/" },
    assumeRolePolicy: { required: true, json: true },
    description: {},
    maxSessionDuration: { chosen: true },
    forceDetachPolicies: {},
    permissionsBoundary: {},
    tags: {},
  },
  async create(aws, { inputs, tags }) {
    const RoleName = text(inputs, "name");
    const command = new CreateRoleCommand({
      RoleName,
      Path: text(inputs, "path"),
      AssumeRolePolicyDocument: text(inputs, "assumeRolePolicy"),
      Description: text(inputs, "description"),
      MaxSessionDuration: number(inputs, "maxSessionDuration"),
      PermissionsBoundary: text(inputs, "permissionsBoundary"),
      Tags: [...tags],
    });
    const there = async () => (await aws.iam.send(new GetRoleCommand({ RoleName }))).Role?.Tags;
    await ours(aws.iam.send(command), there, tags);
    return RoleName ?? "";
  },
  async read(aws, id) {
    const found = await orGone(aws.iam.send(new GetRoleCommand({ RoleName: id })));
    if (!found?.Role) return undefined;
    const { RoleName, Path, Arn, Description, MaxSessionDuration, RoleId, CreateDate, Tags } = found.Role;
    return {
      name: RoleName,
      path: Path,
      arn: Arn,
      description: Description,
      maxSessionDuration: MaxSessionDuration,
      uniqueId: RoleId,
      createDate: CreateDate,
      assumeRolePolicy: decoded(found.Role.AssumeRolePolicyDocument),
      tags: tagsOf(Tags),
      tagsAll: tagsOf(Tags),
    };
  },
  async update(aws, { id, before, inputs, changed }) {
    const RoleName = id;
    const PolicyDocument = text(inputs, "assumeRolePolicy");
    if (changed.has("assumeRolePolicy"))
      await aws.iam.send(new UpdateAssumeRolePolicyCommand({ RoleName, PolicyDocument }));
    const MaxSessionDuration = number(inputs, "maxSessionDuration");
    if (changed.has("description") || changed.has("maxSessionDuration"))
      await aws.iam.send(
        new UpdateRoleCommand({ RoleName, Description: text(inputs, "description"), MaxSessionDuration }),
      );
    const { put, gone } = tagChange(object(before, "tags"), object(inputs, "tags"));
    if (put.length > 0) await aws.iam.send(new TagRoleCommand({ RoleName, Tags: put }));
    if (gone.length > 0) await aws.iam.send(new UntagRoleCommand({ RoleName, TagKeys: gone }));
  },
  async remove(aws, id) {
    await orGone(strip(aws, id));
    await orGone(aws.iam.send(new DeleteRoleCommand({ RoleName: id })));
  },
};

/** What an interrupted run has hung on it would keep it here. */
async function strip(aws: Aws, RoleName: string): Promise<void> {
  const { PolicyNames = [] } = await aws.iam.send(new ListRolePoliciesCommand({ RoleName }));
  for (const PolicyName of PolicyNames) await aws.iam.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
  const { AttachedPolicies = [] } = await aws.iam.send(new ListAttachedRolePoliciesCommand({ RoleName }));
  for (const { PolicyArn } of AttachedPolicies)
    await aws.iam.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
}
