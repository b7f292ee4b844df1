import { basename } from "node:path";
import { Bucket } from "@pulumi/aws/s3/bucket.js";
import { BucketObjectv2 } from "@pulumi/aws/s3/bucketObjectv2.js";
import { BucketPolicy } from "@pulumi/aws/s3/bucketPolicy.js";
import { BucketPublicAccessBlock } from "@pulumi/aws/s3/bucketPublicAccessBlock.js";
import { BucketServerSideEncryptionConfiguration } from "@pulumi/aws/s3/bucketServerSideEncryptionConfiguration.js";
import { BucketVersioning } from "@pulumi/aws/s3/bucketVersioning.js";
import {
  asset,
  ComponentResource,
  type ComponentResourceOptions,
  type Input,
  interpolate,
  jsonStringify,
  type Output,
} from "@pulumi/pulumi";
import type { Authority } from "../pki/authority.ts";
import type { Bundle } from "./bundle.ts";
import { prefixes, tlsOnly } from "./rights.ts";
import type { Tags } from "./tags.ts";
import { tokens, withFormer } from "./tokens.ts";

export interface DepotArgs {
  /** Name of the bucket; absent: one with a random ending. */
  readonly bucket?: string;
  readonly bundle: Bundle;
  readonly authority: Input<Authority>;
  readonly tags: Tags;
}

/** The cluster's bucket: agents come from it, droplets go into it, and the cores read from it who they are. */
export class Depot extends ComponentResource {
  readonly bucket: Output<string>;
  readonly arn: Output<string>;
  /** `s3://bucket/key` of the agent. */
  readonly source: Output<string>;
  /** `s3://bucket/key` of what makes a core the authority. */
  readonly authority: Output<string>;
  /** What has to be there before the first node boots. */
  readonly stock: readonly BucketObjectv2[];

  constructor(name: string, args: DepotArgs, options?: ComponentResourceOptions) {
    super(tokens.depot.type, name, {}, withFormer(tokens.depot, options));
    // Droplets and bundles go with the cluster: a bucket that is not empty would hold up `destroy`.
    const settings = { bucket: args.bucket, forceDestroy: true, tags: args.tags };
    const bucket = new Bucket(name, settings, { parent: this });
    this.bucket = bucket.bucket;
    this.arn = bucket.arn;
    this.#shut(name, bucket);
    const agent = this.#agent(name, bucket, args);
    this.source = interpolate`s3://${agent.bucket}/${agent.key}`;
    const identity = this.#identity(name, bucket, args);
    this.authority = interpolate`s3://${identity.bucket}/${identity.key}`;
    this.stock = [agent, identity];
    this.registerOutputs({ bucket: this.bucket });
  }

  /** Private, encrypted, TLS only, and what is overwritten can be had back. */
  #shut(name: string, { id, arn }: Bucket): void {
    const mine = { parent: this };
    const closed = {
      blockPublicAcls: true,
      blockPublicPolicy: true,
      ignorePublicAcls: true,
      restrictPublicBuckets: true,
    };
    const block = new BucketPublicAccessBlock(name, { bucket: id, ...closed }, mine);
    const rules = [{ applyServerSideEncryptionByDefault: { sseAlgorithm: "AES256" } }];
    new BucketServerSideEncryptionConfiguration(name, { bucket: id, rules }, mine);
    new BucketVersioning(name, { bucket: id, versioningConfiguration: { status: "Enabled" } }, mine);
    // S3 refuses two changes of a bucket's policies at the same time.
    new BucketPolicy(name, { bucket: id, policy: arn.apply(tlsOnly) }, { ...mine, dependsOn: block });
  }

  #agent(name: string, bucket: Bucket, { bundle, tags }: DepotArgs): BucketObjectv2 {
    const key = `${prefixes.agent}${basename(bundle.file)}`;
    const source = new asset.FileAsset(bundle.file);
    const args = { bucket: bucket.id, key, source, sourceHash: bundle.sha256, tags };
    return new BucketObjectv2(`${name}-agent`, args, { parent: this });
  }

  /** Only the cores may read it: with this they are the authority that lets other nodes in. */
  #identity(name: string, bucket: Bucket, { authority, tags }: DepotArgs): BucketObjectv2 {
    const key = `${prefixes.identity}authority.json`;
    const content = jsonStringify(authority);
    const args = { bucket: bucket.id, key, content, contentType: "application/json", tags };
    return new BucketObjectv2(`${name}-identity`, args, { parent: this, additionalSecretOutputs: ["content"] });
  }
}
