import {
  DeleteInstanceProfileCommand,
  DeleteRoleCommand,
  DeleteRolePolicyCommand,
  DetachRolePolicyCommand,
  GetInstanceProfileCommand,
  type IAMClient,
  paginateListAttachedRolePolicies,
  paginateListInstanceProfilesForRole,
  paginateListRolePolicies,
  RemoveRoleFromInstanceProfileCommand,
} from "@aws-sdk/client-iam";
import {
  DeleteBucketCommand,
  DeleteBucketPolicyCommand,
  DeleteObjectsCommand,
  ListObjectVersionsCommand,
  type S3Client,
} from "@aws-sdk/client-s3";

// Each of these throws what AWS says when the thing is gone already: the caller knows that word.

/** A profile goes only without its role. */
export async function removeProfile(iam: IAMClient, InstanceProfileName: string): Promise<void> {
  const { InstanceProfile } = await iam.send(new GetInstanceProfileCommand({ InstanceProfileName }));
  for (const { RoleName } of InstanceProfile?.Roles ?? [])
    await iam.send(new RemoveRoleFromInstanceProfileCommand({ InstanceProfileName, RoleName }));
  await iam.send(new DeleteInstanceProfileCommand({ InstanceProfileName }));
}

/** A role goes only without policies and profiles. */
export async function removeRole(client: IAMClient, RoleName: string): Promise<void> {
  for await (const { InstanceProfiles = [] } of paginateListInstanceProfilesForRole({ client }, { RoleName }))
    for (const { InstanceProfileName } of InstanceProfiles)
      await client.send(new RemoveRoleFromInstanceProfileCommand({ InstanceProfileName, RoleName }));
  for await (const { PolicyNames = [] } of paginateListRolePolicies({ client }, { RoleName }))
    for (const PolicyName of PolicyNames) await client.send(new DeleteRolePolicyCommand({ RoleName, PolicyName }));
  for await (const { AttachedPolicies = [] } of paginateListAttachedRolePolicies({ client }, { RoleName }))
    for (const { PolicyArn } of AttachedPolicies)
      await client.send(new DetachRolePolicyCommand({ RoleName, PolicyArn }));
  await client.send(new DeleteRoleCommand({ RoleName }));
}

/** A bucket goes only when nothing is in it: no object, no older version, no mark of a deletion. */
export async function removeBucket(s3: S3Client, Bucket: string): Promise<void> {
  // A policy may forbid even its owner to empty it. Without one the bucket is as private as before.
  await s3.send(new DeleteBucketPolicyCommand({ Bucket }));
  for (;;) {
    // Always the first page: what was on it is gone by the next turn.
    const { Versions = [], DeleteMarkers = [] } = await s3.send(new ListObjectVersionsCommand({ Bucket }));
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key = "", VersionId }) => ({ Key, VersionId }));
    if (Objects.length === 0) break;
    const { Errors = [] } = await s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
    const [first] = Errors;
    if (first) throw Object.assign(new Error(`${first.Key}: ${first.Message}`), { name: first.Code ?? "S3Error" });
  }
  await s3.send(new DeleteBucketCommand({ Bucket }));
}
