import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { AwsFault } from "./inventoryFault.ts";

export interface AccountOptions {
  /** Default: what the environment or the profile says. */
  readonly region?: string | undefined;
  /** An API that is not Amazon's own. Default: AWS_ENDPOINT_URL, if set. */
  readonly endpoint?: string | undefined;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** An AWS account, seen from one region. Whose it is, the environment says, as for every tool of AWS. */
export interface Account {
  readonly region: string;
  readonly ec2: EC2Client;
  readonly iam: IAMClient;
  readonly s3: S3Client;
  /** The same account, seen from another region. */
  at(region: string): Account;
  close(): void;
}

/** Throttled calls are worth more patience than the SDK has by itself: a sweep makes many of them at once. */
const maxAttempts = 8;

/** Throws AwsFault when no region is known. */
export async function openAccount(options: AccountOptions = {}): Promise<Account> {
  const probe = new EC2Client({ region: options.region });
  try {
    return accountAt(await probe.config.region(), options);
  } catch (cause) {
    const hint = "name one with --region, or set AWS_REGION";
    throw new AwsFault("no AWS region is known", { code: "no_region", hint, cause });
  } finally {
    probe.destroy();
  }
}

function accountAt(region: string, options: AccountOptions): Account {
  const { credentials, endpoint = process.env["AWS_ENDPOINT_URL"] || undefined } = options;
  const settings = { region, endpoint, credentials, maxAttempts };
  const ec2 = new EC2Client(settings);
  const iam = new IAMClient(settings);
  // Names of buckets are names of hosts at Amazon only.
  const s3 = new S3Client({ ...settings, forcePathStyle: endpoint !== undefined, followRegionRedirects: true });
  const others = new Map<string, Account>();
  const self: Account = {
    ...{ region, ec2, iam, s3 },
    at(name) {
      if (name === region || name === "") return self;
      const there = others.get(name) ?? accountAt(name, options);
      others.set(name, there);
      return there;
    },
    close() {
      for (const client of [ec2, iam, s3]) client.destroy();
      for (const other of others.values()) other.close();
    },
  };
  return self;
}
