import {
  DeleteBucketEncryptionCommand,
  DeleteBucketPolicyCommand,
  DeletePublicAccessBlockCommand,
  GetBucketEncryptionCommand,
  GetBucketPolicyCommand,
  GetBucketVersioningCommand,
  GetPublicAccessBlockCommand,
  PutBucketEncryptionCommand,
  PutBucketPolicyCommand,
  PutBucketVersioningCommand,
  PutPublicAccessBlockCommand,
} from "@aws-sdk/client-s3";
import type { Aws } from "../aws.ts";
import { type Field, type Kind, object, type Props, text } from "../kind.ts";
import { orGone } from "../retry.ts";

interface Setting {
  readonly token: string;
  readonly fields: Readonly<Record<string, Field>>;
  put(aws: Aws, bucket: string, inputs: Props): Promise<unknown>;
  get(aws: Aws, bucket: string): Promise<Props | undefined>;
  clear(aws: Aws, bucket: string): Promise<unknown>;
}

/** A bucket's settings are resources of their own: to make one is to set it, and it has the bucket's name as its id. */
function setting({ token, fields, put, get, clear }: Setting): Kind {
  return {
    token,
    fields: { bucket: { required: true, replaces: true }, ...fields },
    async create(aws, { inputs }) {
      const bucket = text(inputs, "bucket") ?? "";
      await put(aws, bucket, inputs);
      return bucket;
    },
    async read(aws, id) {
      const found = await orGone(get(aws, id));
      return found && { bucket: id, ...found };
    },
    async update(aws, { id, inputs }) {
      await put(aws, id, inputs);
    },
    async remove(aws, id) {
      await orGone(clear(aws, id));
    },
  };
}

const yes = (inputs: Props, key: string): boolean => inputs[key] === true;

export const bucketPublicAccessBlock = setting({
  token: "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
  fields: {
    blockPublicAcls: { default: false },
    blockPublicPolicy: { default: false },
    ignorePublicAcls: { default: false },
    restrictPublicBuckets: { default: false },
    skipDestroy: {},
  },
  put: (aws, Bucket, inputs) =>
    aws.s3.send(
      new PutPublicAccessBlockCommand({
        Bucket,
        PublicAccessBlockConfiguration: {
          BlockPublicAcls: yes(inputs, "blockPublicAcls"),
          BlockPublicPolicy: yes(inputs, "blockPublicPolicy"),
          IgnorePublicAcls: yes(inputs, "ignorePublicAcls"),
          RestrictPublicBuckets: yes(inputs, "restrictPublicBuckets"),
        },
      }),
    ),
  async get(aws, Bucket) {
    const found = await aws.s3.send(new GetPublicAccessBlockCommand({ Bucket }));
    const it = found.PublicAccessBlockConfiguration;
    return (
      it && {
        blockPublicAcls: it.BlockPublicAcls,
        blockPublicPolicy: it.BlockPublicPolicy,
        ignorePublicAcls: it.IgnorePublicAcls,
        restrictPublicBuckets: it.RestrictPublicBuckets,
      }
    );
  },
  clear: (aws, Bucket) => aws.s3.send(new DeletePublicAccessBlockCommand({ Bucket })),
});

interface Rule {
  applyServerSideEncryptionByDefault?: { sseAlgorithm: string; kmsMasterKeyId?: string };
  bucketKeyEnabled?: boolean;
}

export const bucketEncryption = setting({
  token: "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration",
  fields: { rules: { required: true } },
  put(aws, Bucket, inputs) {
    const Rules = (inputs["rules"] as Rule[]).map(({ applyServerSideEncryptionByDefault: by, bucketKeyEnabled }) => ({
      ApplyServerSideEncryptionByDefault: by && {
        SSEAlgorithm: by.sseAlgorithm as "AES256",
        KMSMasterKeyID: by.kmsMasterKeyId,
      },
      BucketKeyEnabled: bucketKeyEnabled,
    }));
    return aws.s3.send(new PutBucketEncryptionCommand({ Bucket, ServerSideEncryptionConfiguration: { Rules } }));
  },
  async get(aws, Bucket) {
    const found = await aws.s3.send(new GetBucketEncryptionCommand({ Bucket }));
    const rules = found.ServerSideEncryptionConfiguration?.Rules?.map((rule) => {
      const { SSEAlgorithm: sseAlgorithm, KMSMasterKeyID: kmsMasterKeyId } =
        rule.ApplyServerSideEncryptionByDefault ?? {};
      const by = { sseAlgorithm, ...(kmsMasterKeyId && { kmsMasterKeyId }) };
      const key = rule.BucketKeyEnabled ? { bucketKeyEnabled: true } : {};
      return { applyServerSideEncryptionByDefault: by, ...key };
    });
    return rules && { rules };
  },
  clear: (aws, Bucket) => aws.s3.send(new DeleteBucketEncryptionCommand({ Bucket })),
});

const versioningCommand = (Bucket: string, Status: string) =>
  new PutBucketVersioningCommand({ Bucket, VersioningConfiguration: { Status: Status as "Enabled" } });

export const bucketVersioning = setting({
  token: "aws:s3/bucketVersioning:BucketVersioning",
  fields: { versioningConfiguration: { required: true, chosen: true } },
  put: (aws, Bucket, inputs) =>
    aws.s3.send(versioningCommand(Bucket, text(object(inputs, "versioningConfiguration"), "status") ?? "Enabled")),
  async get(aws, Bucket) {
    const { Status } = await aws.s3.send(new GetBucketVersioningCommand({ Bucket }));
    return Status ? { versioningConfiguration: { status: Status } } : undefined;
  },
  // Once on, it can be suspended only.
  clear: (aws, Bucket) => aws.s3.send(versioningCommand(Bucket, "Suspended")),
});

export const bucketPolicy = setting({
  token: "aws:s3/bucketPolicy:BucketPolicy",
  fields: { policy: { required: true, json: true } },
  put: (aws, Bucket, inputs) => aws.s3.send(new PutBucketPolicyCommand({ Bucket, Policy: text(inputs, "policy") })),
  async get(aws, Bucket) {
    const { Policy } = await aws.s3.send(new GetBucketPolicyCommand({ Bucket }));
    return Policy ? { policy: Policy } : undefined;
  },
  clear: (aws, Bucket) => aws.s3.send(new DeleteBucketPolicyCommand({ Bucket })),
});
