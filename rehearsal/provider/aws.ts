import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import type { Props } from "./kind.ts";
import { isThrottled } from "./retry.ts";

/** The API as one configuration of the provider reaches it. */
export interface Aws {
  readonly ec2: EC2Client;
  readonly iam: IAMClient;
  readonly s3: S3Client;
  readonly region: string;
  readonly endpoint: string;
  /** A request of a service without a client here: form fields in, the answer's text out. */
  ask(service: string, path: string, request: RequestInit): Promise<string>;
}

export interface Settings {
  readonly region: string;
  readonly endpoint: string;
  readonly accessKey: string;
  readonly secretKey: string;
}

/** What a provider's configuration and the environment say; a sentence where they leave something out. */
export function settings(config: Props, env: NodeJS.ProcessEnv): Settings | { property: string; reason: string } {
  const said = (key: string) =>
    typeof config[key] === "string" && config[key] !== "" ? String(config[key]) : undefined;
  const region = said("region") ?? env["AWS_REGION"] ?? env["AWS_DEFAULT_REGION"];
  if (!region) return { property: "region", reason: "is not given: pulumi config set aws:region eu-central-1" };
  const endpoint = endpointOf(config["endpoints"]) ?? env["AWS_ENDPOINT_URL_EC2"] ?? env["AWS_ENDPOINT_URL"];
  // This plugin leaves marks and makes up names: for rehearsals, and never in anybody's account.
  if (!endpoint)
    return {
      property: "endpoints",
      reason:
        "this plugin stands in for the real one and speaks to a rehearsal's API only (AWS_ENDPOINT_URL). " +
        "For an account on AWS: pulumi plugin install resource aws",
    };
  const accessKey = said("accessKey") ?? env["AWS_ACCESS_KEY_ID"] ?? "rehearsal";
  const secretKey = said("secretKey") ?? env["AWS_SECRET_ACCESS_KEY"] ?? "rehearsal";
  return { region, endpoint, accessKey, secretKey };
}

/** `[{ec2: url}]`, as a value or, as the engine sends it, as JSON. */
function endpointOf(value: unknown): string | undefined {
  if (typeof value === "string" && value.startsWith("[")) return endpointOf(JSON.parse(value));
  const first = Array.isArray(value) ? (value[0] as Record<string, string> | undefined) : undefined;
  return first?.["ec2"];
}

export function connect({ region, endpoint, accessKey, secretKey }: Settings): Aws {
  const credentials = { accessKeyId: accessKey, secretAccessKey: secretKey };
  // Throttled requests were not done and are sent again here; whatever else may pass is looked at where it was asked.
  const options = { region, endpoint, credentials, retryStrategy: throttledOnly };
  const scope = `Credential=${accessKey}/20260101/${region}`;
  return {
    ec2: new EC2Client(options),
    iam: new IAMClient(options),
    s3: new S3Client({ ...options, forcePathStyle: true }),
    region,
    endpoint,
    async ask(service, path, request) {
      const authorization = `AWS4-HMAC-SHA256 ${scope}/${service}/aws4_request, SignedHeaders=host, Signature=0`;
      const answer = await fetch(new URL(path, endpoint), {
        ...request,
        headers: { authorization, ...request.headers },
      });
      const body = await answer.text();
      if (answer.ok) return body;
      const name = /<Code>([^<]*)/.exec(body)?.[1] ?? `HTTP ${answer.status}`;
      const message = /<Message>([^<]*)/.exec(body)?.[1] ?? body.slice(0, 200);
      throw Object.assign(new Error(message), { name, $metadata: { httpStatusCode: answer.status } });
    },
  };
}

const attempts = 8;

const throttledOnly = {
  acquireInitialRetryToken: async () => token(0),
  async refreshRetryTokenForRetry(before: { getRetryCount(): number }, info: { error?: unknown }) {
    const count = before.getRetryCount() + 1;
    if (!isThrottled(info.error) || count >= attempts) throw new Error("not worth another try");
    return token(count);
  },
  recordSuccess() {},
};

/** Half of the pause by chance: what was refused together must not come again together. */
function token(count: number) {
  const longest = count === 0 ? 0 : Math.min(5000, 100 * 2 ** count);
  const pause = Math.round(longest * (0.5 + Math.random() / 2));
  return { getRetryCount: () => count, getRetryDelay: () => pause };
}
