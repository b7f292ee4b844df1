import { readFile } from "node:fs/promises";
import {
  DeleteObjectCommand,
  GetObjectTaggingCommand,
  HeadObjectCommand,
  ListObjectVersionsCommand,
  PutObjectCommand,
  PutObjectTaggingCommand,
} from "@aws-sdk/client-s3";
import type { Aws } from "../aws.ts";
import { type Kind, object, type Props, text } from "../kind.ts";
import { tagsOf } from "../marks.ts";
import { orGone } from "../retry.ts";
import { isAsset } from "../values.ts";

export const bucketObjectv2: Kind = kind("aws:s3/bucketObjectv2:BucketObjectv2");
export const bucketObject: Kind = kind("aws:s3/bucketObject:BucketObject");

function kind(token: string): Kind {
  return {
    token,
    fields: {
      bucket: { required: true, replaces: true },
      key: { replaces: true },
      source: {},
      content: {},
      contentBase64: {},
      sourceHash: {},
      etag: { chosen: true },
      contentType: { chosen: true },
      cacheControl: {},
      acl: { chosen: true },
      serverSideEncryption: { chosen: true },
      storageClass: { chosen: true },
      metadata: {},
      forceDestroy: {},
      tags: {},
    },
    async create(aws, { inputs }) {
      await put(aws, inputs);
      return `${text(inputs, "bucket")}/${text(inputs, "key")}`;
    },
    async read(aws, id) {
      const place = parts(id);
      const found = await orGone(aws.s3.send(new HeadObjectCommand(place)));
      if (!found) return undefined;
      const tags = tagsOf((await orGone(aws.s3.send(new GetObjectTaggingCommand(place))))?.TagSet);
      return {
        bucket: place.Bucket,
        key: place.Key,
        arn: `arn:aws:s3:::${id}`,
        etag: found.ETag?.replaceAll('"', ""),
        versionId: found.VersionId ?? "",
        contentType: found.ContentType,
        serverSideEncryption: found.ServerSideEncryption,
        storageClass: found.StorageClass ?? "STANDARD",
        tags,
        tagsAll: tags,
      };
    },
    async update(aws, { id, inputs, changed }) {
      const only = changed.size === 1 && changed.has("tags");
      const TagSet = Object.entries(object(inputs, "tags")).map(([Key, Value]) => ({ Key, Value: String(Value) }));
      if (only) await aws.s3.send(new PutObjectTaggingCommand({ ...parts(id), Tagging: { TagSet } }));
      else await put(aws, inputs);
    },
    async remove(aws, id) {
      await orGone(removeVersions(aws, parts(id)));
    },
  };
}

function parts(id: string): { Bucket: string; Key: string } {
  const slash = id.indexOf("/");
  return { Bucket: id.slice(0, slash), Key: id.slice(slash + 1) };
}

async function put(aws: Aws, inputs: Props): Promise<void> {
  const tags = new URLSearchParams(object(inputs, "tags") as Record<string, string>);
  const command = new PutObjectCommand({
    Bucket: text(inputs, "bucket"),
    Key: text(inputs, "key"),
    Body: await body(inputs),
    ContentType: text(inputs, "contentType"),
    CacheControl: text(inputs, "cacheControl"),
    ServerSideEncryption: text(inputs, "serverSideEncryption") as "AES256" | undefined,
    Metadata: object(inputs, "metadata") as Record<string, string>,
    Tagging: tags.size > 0 ? tags.toString() : undefined,
  });
  await aws.s3.send(command);
}

async function body(inputs: Props): Promise<Uint8Array> {
  const { source, content, contentBase64 } = inputs;
  if (typeof contentBase64 === "string") return Buffer.from(contentBase64, "base64");
  if (typeof content === "string") return Buffer.from(content, "utf8");
  if (typeof source === "string") return await readFile(source);
  if (!isAsset(source)) return new Uint8Array();
  if (source.text !== undefined) return Buffer.from(source.text, "utf8");
  if (source.path) return await readFile(source.path);
  throw new Error("an object's source is a file or a text in a rehearsal, not an address");
}

/** The object's own versions, and no other's whose name begins with its name. */
async function removeVersions(aws: Aws, place: { Bucket: string; Key: string }): Promise<void> {
  const command = new ListObjectVersionsCommand({ Bucket: place.Bucket, Prefix: place.Key });
  const { Versions = [], DeleteMarkers = [] } = await aws.s3.send(command);
  const mine = [...Versions, ...DeleteMarkers].filter(({ Key }) => Key === place.Key);
  for (const { VersionId } of mine) await aws.s3.send(new DeleteObjectCommand({ ...place, VersionId }));
}
