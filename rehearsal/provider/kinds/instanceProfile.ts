import {
  AddRoleToInstanceProfileCommand,
  CreateInstanceProfileCommand,
  DeleteInstanceProfileCommand,
  GetInstanceProfileCommand,
  RemoveRoleFromInstanceProfileCommand,
  TagInstanceProfileCommand,
  UntagInstanceProfileCommand,
} from "@aws-sdk/client-iam";
import type { Aws } from "../aws.ts";
import { type Kind, object, text } from "../kind.ts";
import { tagsOf } from "../marks.ts";
import { orGone } from "../retry.ts";
import { ours, tagChange } from "./iam.ts";

export const instanceProfile: Kind = {
  token: "aws:iam/instanceProfile:InstanceProfile",
  named: "name",
  fields: { name: { replaces: true }, path: { replaces: true, default: "/" }, role: {}, tags: {} },
  async create(aws, { inputs, tags }) {
    const InstanceProfileName = text(inputs, "name") ?? "";
    const command = new CreateInstanceProfileCommand({
      InstanceProfileName,
      Path: text(inputs, "path"),
      Tags: [...tags],
    });
    const there = async () => (await profile(aws, InstanceProfileName))?.Tags;
    await ours(aws.iam.send(command), there, tags);
    await setRole(aws, InstanceProfileName, text(inputs, "role"));
    return InstanceProfileName;
  },
  async read(aws, id) {
    const found = await profile(aws, id);
    if (!found) return undefined;
    const { InstanceProfileName, Path, Arn, InstanceProfileId, CreateDate, Roles, Tags } = found;
    const names = { name: InstanceProfileName, path: Path, role: Roles?.[0]?.RoleName };
    const tags = tagsOf(Tags);
    return { ...names, arn: Arn, uniqueId: InstanceProfileId, createDate: CreateDate, tags, tagsAll: tags };
  },
  async update(aws, { id, before, inputs, changed }) {
    const InstanceProfileName = id;
    if (changed.has("role")) await setRole(aws, id, text(inputs, "role"));
    const { put, gone } = tagChange(object(before, "tags"), object(inputs, "tags"));
    if (put.length > 0) await aws.iam.send(new TagInstanceProfileCommand({ InstanceProfileName, Tags: put }));
    if (gone.length > 0) await aws.iam.send(new UntagInstanceProfileCommand({ InstanceProfileName, TagKeys: gone }));
  },
  async remove(aws, id) {
    await setRole(aws, id, undefined);
    await orGone(aws.iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName: id })));
  },
};

async function profile(aws: Aws, InstanceProfileName: string) {
  return (await orGone(aws.iam.send(new GetInstanceProfileCommand({ InstanceProfileName }))))?.InstanceProfile;
}

/** A profile holds one role at most. */
async function setRole(aws: Aws, InstanceProfileName: string, wanted: string | undefined): Promise<void> {
  const has = (await profile(aws, InstanceProfileName))?.Roles?.[0]?.RoleName;
  if (has === wanted) return;
  if (has) await orGone(aws.iam.send(new RemoveRoleFromInstanceProfileCommand({ InstanceProfileName, RoleName: has })));
  if (wanted) await aws.iam.send(new AddRoleToInstanceProfileCommand({ InstanceProfileName, RoleName: wanted }));
}
