import type { Host } from "../picture.ts";
import type { Vault } from "./credentials.ts";
import { longest, type Tokens } from "./tokens.ts";
import { bodyAt, dynamic, metaData, type Tree } from "./tree.ts";

export interface Request {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
}

export interface Answer {
  readonly status: number;
  readonly body: string | Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export interface Memory {
  readonly tokens: Tokens;
  readonly vault: Vault;
}

/** The versions that we speak; all say the same. cloud-init takes the newest it knows. */
export const versions = ["1.0", "2009-04-04", "2016-09-02", "2018-09-24", "2021-03-23", "latest"];

const lifetime = "x-aws-ec2-metadata-token-ttl-seconds";

/** What the metadata service answers to a machine. `now` in milliseconds. */
export function answer(host: Host, request: Request, { tokens, vault }: Memory, now: number): Answer {
  const { method, url, headers } = request;
  if (!host.access.enabled) return text(403);
  if (method === "PUT") return url === "/latest/api/token" ? tokenFor(host, request, tokens, now) : text(405);
  if (method !== "GET" && method !== "HEAD") return text(405);
  const token = headers["x-aws-ec2-metadata-token"];
  const good = typeof token === "string" && tokens.good(token, host.id, now);
  if (!good && (token !== undefined || host.access.token)) return text(401);
  const [version, kind, ...path] = segments(url);
  if (version === undefined) return text(200, versions.join("\n"));
  if (!versions.includes(version)) return text(404);
  if (kind === undefined)
    return text(200, ["dynamic", "meta-data", ...(host.userData ? ["user-data"] : [])].join("\n"));
  if (kind === "user-data" && path.length === 0) return userData(host);
  const body = bodyAt(treeOf(host, kind, host.profile ? vault.of(host.id, now) : ""), path);
  return body === undefined ? text(404) : text(200, body);
}

function treeOf(host: Host, kind: string, credentials: string): Tree | undefined {
  if (kind === "meta-data") return metaData(host, credentials);
  return kind === "dynamic" ? dynamic(host) : undefined;
}

function tokenFor(host: Host, { headers }: Request, tokens: Tokens, now: number): Answer {
  // A request that an open proxy passes on carries this: that is what version 2 is against.
  if (headers["x-forwarded-for"] !== undefined) return text(403);
  const seconds = Number(headers[lifetime]);
  if (!Number.isInteger(seconds) || seconds < 1 || seconds > longest) return text(400);
  const made = text(200, tokens.issue(host.id, seconds, now));
  return { ...made, headers: { ...made.headers, [lifetime]: String(seconds) } };
}

/** Byte for byte: it may be compressed. */
function userData({ userData }: Host): Answer {
  if (!userData) return text(404);
  const body = Buffer.from(userData, "base64");
  return { status: 200, body, headers: { "content-type": "application/octet-stream" } };
}

/** `/latest/meta-data//mac?x` → latest, meta-data, mac. */
function segments(url: string): string[] {
  const parts = (url.split("?")[0] ?? "").split("/").filter((part) => part !== "");
  try {
    return parts.map(decodeURIComponent);
  } catch {
    return ["?"];
  }
}

function text(status: number, body = ""): Answer {
  return { status, body, headers: { "content-type": "text/plain" } };
}
