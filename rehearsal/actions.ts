/**
 * The action that a request asks for: `RunInstances` from the form, or the S3 call that method, path and query stand
 * for.
 */
export function actionOf(method: string, url: string, contentType: string | undefined, body: Buffer): string {
  if (contentType?.startsWith("application/x-www-form-urlencoded"))
    return new URLSearchParams(body.toString("utf8")).get("Action") ?? "?";
  const { pathname, searchParams } = new URL(url, "http://api");
  if (pathname.startsWith("/2013-04-01/"))
    return method === "GET" ? "ListResourceRecordSets" : "ChangeResourceRecordSets";
  const [, bucket = "", ...key] = pathname.split("/");
  if (!bucket) return "ListBuckets";
  return s3Action(method, key.join("/") !== "", [...searchParams.keys()]);
}

const verbs: Record<string, string> = { GET: "Get", PUT: "Put", DELETE: "Delete", HEAD: "Head", POST: "Post" };
/** Query → what it is about. */
const parts: Record<string, string> = {
  tagging: "Tagging",
  policy: "Policy",
  versioning: "Versioning",
  encryption: "Encryption",
  publicAccessBlock: "PublicAccessBlock",
  versions: "Versions",
  delete: "Objects",
};

function s3Action(method: string, object: boolean, query: readonly string[]): string {
  const verb = verbs[method] ?? method;
  const part = query.map((key) => parts[key]).find((name) => name !== undefined);
  if (part === "Objects") return "DeleteObjects";
  if (part === "Versions") return "ListObjectVersions";
  if (part) return `${verb}${object ? "Object" : "Bucket"}${part}`.replace("BucketPublicAccess", "PublicAccess");
  if (object) return `${verb}Object`;
  return { PUT: "CreateBucket", GET: "ListObjects", DELETE: "DeleteBucket", HEAD: "HeadBucket" }[method] ?? "?";
}

/** True for what changes something. */
export function isWrite(action: string): boolean {
  return !/^(Describe|Get|List|Head)/.test(action);
}
