import {
  GetInstanceProfileCommand,
  ListRoleTagsCommand,
  paginateListInstanceProfiles,
  paginateListRoles,
} from "@aws-sdk/client-iam";
import { GetBucketLocationCommand, GetBucketTaggingCommand, ListBucketsCommand } from "@aws-sdk/client-s3";
import { abreast } from "./inventoryAbreast.ts";
import type { Account } from "./inventoryAccount.ts";
import { asked, codeOf, isGone } from "./inventoryFault.ts";
import { type AwsTag, type Found, marksOf } from "./inventoryFound.ts";

/** IAM and S3 list without tags: each candidate has to be asked. So many at a time. */
const width = 8;

/** Roles, profiles and buckets of the whole account that carry our tags. Throws AwsFault. */
export async function findGlobals(account: Account, cluster?: string): Promise<Found[]> {
  const lists = await Promise.all([
    asked("listing roles", roles(account)),
    asked("listing instance profiles", profiles(account)),
    asked("listing buckets", buckets(account)),
  ]);
  return lists.flat().filter((one) => cluster === undefined || one.cluster === cluster);
}

async function roles({ iam }: Account): Promise<Found[]> {
  const names: { name: string; created: number | undefined }[] = [];
  // Only machines' own roles are worth a call each: an account may have a thousand others.
  for await (const { Roles = [] } of paginateListRoles({ client: iam }, {}))
    for (const { RoleName = "", AssumeRolePolicyDocument = "", CreateDate } of Roles)
      if (AssumeRolePolicyDocument.includes("ec2.amazonaws.com"))
        names.push({ name: RoleName, created: CreateDate?.getTime() });
  const found = await abreast(names, width, async ({ name, created }) => {
    const answer = await unlessGone(iam.send(new ListRoleTagsCommand({ RoleName: name })));
    return global("role", { id: name, created, tags: answer?.Tags });
  });
  return found.flat();
}

async function profiles({ iam }: Account): Promise<Found[]> {
  const names: string[] = [];
  for await (const { InstanceProfiles = [] } of paginateListInstanceProfiles({ client: iam }, {}))
    names.push(...InstanceProfiles.flatMap(({ InstanceProfileName }) => InstanceProfileName ?? []));
  const found = await abreast(names, width, async (id) => {
    const answer = await unlessGone(iam.send(new GetInstanceProfileCommand({ InstanceProfileName: id })));
    const { Tags: tags, CreateDate } = answer?.InstanceProfile ?? {};
    return global("profile", { id, tags, created: CreateDate?.getTime() });
  });
  return found.flat();
}

async function buckets({ s3 }: Account): Promise<Found[]> {
  const { Buckets = [] } = await s3.send(new ListBucketsCommand({}));
  const found = await abreast(Buckets, width, async ({ Name: Bucket = "", CreationDate }) => {
    const answer = await unlessGone(s3.send(new GetBucketTaggingCommand({ Bucket })));
    const marked = global("bucket", { id: Bucket, tags: answer?.TagSet, created: CreationDate?.getTime() });
    if (marked.length === 0) return [];
    const place = await unlessGone(s3.send(new GetBucketLocationCommand({ Bucket })));
    return marked.map((one) => ({ ...one, region: place?.LocationConstraint ?? "us-east-1" }));
  });
  return found.flat();
}

function global(
  kind: "role" | "profile" | "bucket",
  one: { id: string; created: number | undefined; tags: readonly AwsTag[] | undefined },
): Found[] {
  const marks = marksOf(one.tags);
  if (!marks) return [];
  const { group: _, roles: __, ...common } = marks;
  return [{ kind, id: one.id, region: "", ...common, created: one.created }];
}

/** Gone meanwhile, or somebody else's that may not be looked at: in both cases none of ours. */
async function unlessGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer;
  } catch (error) {
    if (isGone(error) || /^AccessDenied/.test(codeOf(error))) return undefined;
    throw error;
  }
}
