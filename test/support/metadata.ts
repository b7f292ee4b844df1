import { createHash, createHmac } from "node:crypto";
import { createServer, type IncomingMessage, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";

// What a machine on EC2 finds around it: the metadata service (version 2) and S3, which checks signatures.

export interface MetadataState {
  /** The machine's private address. */
  address: string;
  /** Milliseconds before each answer. */
  slow: number;
  /** So many requests are answered with a 503 first. */
  busy: number;
  readonly credentials: { AccessKeyId: string; SecretAccessKey: string; Token: string };
  /** Paths that were asked for with a token. */
  readonly asked: string[];
}

export interface MetadataService {
  readonly url: string;
  readonly state: MetadataState;
  close(): Promise<void>;
}

const token = "AQAAAKtokenOfTheMetadataService==";

export async function metadataService(): Promise<MetadataService> {
  // No key of anybody's, but one that looks like it.
  const credentials = {
    AccessKeyId: `ASIA${"Q".repeat(16)}`,
    SecretAccessKey: `canary/${createHash("sha256").update(String(Math.random())).digest("hex").slice(0, 33)}`,
    Token: `canary-session-${Math.random()}==`,
  };
  const state: MetadataState = { address: "127.0.0.1", slow: 0, busy: 0, credentials, asked: [] };
  const server = await listen(async (request, response) => {
    await new Promise((resolve) => setTimeout(resolve, state.slow));
    const { status, body } = answer(request, state);
    response.writeHead(status).end(body);
  });
  return { ...server, state };
}

function answer({ method, url = "", headers }: IncomingMessage, state: MetadataState) {
  if (state.busy-- > 0) return { status: 503, body: "" };
  if (method === "PUT" && url === "/latest/api/token")
    return headers["x-aws-ec2-metadata-token-ttl-seconds"] ? { status: 200, body: token } : { status: 400, body: "" };
  if (headers["x-aws-ec2-metadata-token"] !== token) return { status: 401, body: "" };
  const path = url.replace("/latest/meta-data/", "");
  state.asked.push(path);
  const known: Record<string, string> = {
    "local-ipv4": state.address,
    "instance-id": "i-0123456789abcdef0",
    "placement/availability-zone": "eu-central-1a",
    "instance-type": "t3.medium",
    "iam/security-credentials/": "trio-node",
    "iam/security-credentials/trio-node": JSON.stringify({ Code: "Success", ...state.credentials }, undefined, 2),
  };
  const body = known[path];
  return body === undefined ? { status: 404, body: "" } : { status: 200, body };
}

export interface Store {
  readonly url: string;
  /** What a good request gets. */
  body: Buffer;
  /** More of it, by path. */
  readonly more: Map<string, Buffer>;
  /** Instead of the body, so many times. */
  failing: { status: number; times: number };
  requests: number;
  close(): Promise<void>;
}

/** Objects at their paths. With `signed`, only those get it who sign with the credentials. */
export async function store(path: string, body: Buffer, signed?: MetadataState): Promise<Store> {
  const server = await listen((request, response) => {
    self.requests++;
    if (self.failing.times-- > 0) return void response.writeHead(self.failing.status).end();
    const content = request.url === path ? self.body : self.more.get(request.url ?? "");
    if (!content) return void response.writeHead(404).end();
    if (signed && !wellSigned(request, signed.credentials)) return void response.writeHead(403).end();
    response.writeHead(200, { "content-length": content.length }).end(content);
  });
  const self: Store = { ...server, body, more: new Map(), failing: { status: 503, times: 0 }, requests: 0 };
  return self;
}

/** AWS Signature Version 4 as S3 checks it: of a role's temporary credentials, the session's token is signed too. */
function wellSigned({ method, url, headers }: IncomingMessage, credentials: MetadataState["credentials"]): boolean {
  const form = /^AWS4-HMAC-SHA256 Credential=([^/]+)\/(.+), ?SignedHeaders=([^,]+), ?Signature=(\w+)$/;
  const [, id, scope = "", names = "", signature] = form.exec(headers.authorization ?? "") ?? [];
  if (id !== credentials.AccessKeyId || headers["x-amz-security-token"] !== credentials.Token) return false;
  if (!names.split(";").includes("x-amz-security-token") || !scope.endsWith("/eu-central-1/s3/aws4_request"))
    return false;
  const lines = names.split(";").map((name) => `${name}:${String(headers[name]).trim()}\n`);
  const request = [method, url, "", lines.join(""), names, headers["x-amz-content-sha256"]].join("\n");
  const hash = createHash("sha256").update(request).digest("hex");
  const text = ["AWS4-HMAC-SHA256", headers["x-amz-date"], scope, hash].join("\n");
  const mac = (key: string | Buffer, part: string) => createHmac("sha256", key).update(part).digest();
  const key = scope.split("/").reduce<string | Buffer>(mac, `AWS4${credentials.SecretAccessKey}`);
  return mac(key, text).toString("hex") === signature;
}

async function listen(listener: RequestListener): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      server.closeAllConnections();
    });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close };
}
