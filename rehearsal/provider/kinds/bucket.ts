import {
  type BucketLocationConstraint,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  GetBucketTaggingCommand,
  HeadBucketCommand,
  ListObjectVersionsCommand,
  PutBucketTaggingCommand,
  type Tag,
} from "@aws-sdk/client-s3";
import type { Aws } from "../aws.ts";
import { type Kind, object, type Props, text } from "../kind.ts";
import { hasMark, markKey, tagsOf } from "../marks.ts";
import { orGone } from "../retry.ts";

export const bucket: Kind = {
  token: "aws:s3/bucket:Bucket",
  named: "bucket",
  fields: { bucket: { replaces: true }, forceDestroy: {}, tags: {} },
  async create(aws, { inputs, tags }) {
    const Bucket = text(inputs, "bucket") ?? "";
    const LocationConstraint = aws.region as BucketLocationConstraint;
    const CreateBucketConfiguration = aws.region === "us-east-1" ? undefined : { LocationConstraint };
    try {
      await aws.s3.send(new CreateBucketCommand({ Bucket, CreateBucketConfiguration }));
    } catch (error) {
      if ((error as Error).name !== "BucketAlreadyOwnedByYou") throw error;
      // Buckets are tagged in a second call: one of ours without any tag was left between the two.
      const there = await tagsIn(aws, Bucket);
      if (there.length > 0 && !hasMark(there, tags)) throw error;
    }
    await aws.s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet: [...tags] } }));
    return Bucket;
  },
  async read(aws, id, known) {
    if (!(await orGone(aws.s3.send(new HeadBucketCommand({ Bucket: id }))))) return undefined;
    const tags = tagsOf(await tagsIn(aws, id));
    const host = `${id}.s3`;
    return {
      bucket: id,
      arn: `arn:aws:s3:::${id}`,
      bucketDomainName: `${host}.amazonaws.com`,
      bucketRegionalDomainName: `${host}.${aws.region}.amazonaws.com`,
      forceDestroy: known["forceDestroy"],
      tags,
      tagsAll: tags,
    };
  },
  async update(aws, { id, inputs, changed }) {
    if (changed.has("tags")) await setTags(aws, id, object(inputs, "tags"));
  },
  async remove(aws, id, state) {
    if (state["forceDestroy"] === true) await orGone(empty(aws, id));
    await orGone(aws.s3.send(new DeleteBucketCommand({ Bucket: id })));
  },
};

async function tagsIn(aws: Aws, Bucket: string): Promise<Tag[]> {
  return (await orGone(aws.s3.send(new GetBucketTaggingCommand({ Bucket }))))?.TagSet ?? [];
}

/** All tags are put at once: the mark with them. */
async function setTags(aws: Aws, Bucket: string, tags: Props): Promise<void> {
  const kept = (await tagsIn(aws, Bucket)).filter(({ Key }) => Key === markKey);
  const TagSet = [...Object.entries(tags).map(([Key, Value]) => ({ Key, Value: String(Value) })), ...kept];
  await aws.s3.send(new PutBucketTaggingCommand({ Bucket, Tagging: { TagSet } }));
}

/** All versions of all objects, a thousand at a time. */
async function empty(aws: Aws, Bucket: string): Promise<void> {
  for (;;) {
    const { Versions = [], DeleteMarkers = [] } = await aws.s3.send(new ListObjectVersionsCommand({ Bucket }));
    const Objects = [...Versions, ...DeleteMarkers].map(({ Key, VersionId }) => ({ Key, VersionId }));
    if (Objects.length === 0) return;
    await aws.s3.send(new DeleteObjectsCommand({ Bucket, Delete: { Objects, Quiet: true } }));
  }
}
