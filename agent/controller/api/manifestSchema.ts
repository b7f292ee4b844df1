import { z } from "zod";
import { metadataChange } from "./body.ts";
import { unprocessable } from "./errors.ts";
import { mebibytes } from "./quantity.ts";

// An app's manifest as Cloud Foundry has it (version 1). Keys with hyphens, as people write them.

const size = z
  .union([z.string(), z.number()])
  .refine((text) => mebibytes(text) !== undefined, "must use a supported unit: B, K, KB, M, MB, G, GB, T, or TB")
  .transform((text) => mebibytes(text) ?? 0);
const seconds = z.int().min(1);

const processKeys = {
  command: z.string().nullish(),
  disk_quota: size.optional(),
  "disk-quota": size.optional(),
  memory: size.optional(),
  instances: z.int().min(0).max(10_000).optional(),
  timeout: seconds.optional(),
  "health-check-type": z.enum(["port", "process", "http", "none"]).optional(),
  "health-check-http-endpoint": z.string().startsWith("/", "must be a valid URI path").optional(),
  "health-check-invocation-timeout": seconds.optional(),
  "health-check-interval": seconds.optional(),
};

const application = z.looseObject({
  ...processKeys,
  name: z.string().min(1, "must not be empty"),
  buildpack: z.string().nullish(),
  buildpacks: z.array(z.string()).nullish(),
  stack: z.string().optional(),
  env: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()]).transform(String).nullable()).optional(),
  metadata: metadataChange,
  routes: z.array(z.object({ route: z.string() })).optional(),
  "no-route": z.boolean().optional(),
  "random-route": z.boolean().optional(),
  "default-route": z.boolean().optional(),
  processes: z.array(z.looseObject({ ...processKeys, type: z.string().min(1) })).optional(),
  docker: z.undefined({ error: "is not supported here" }).optional(),
  services: z.array(z.unknown()).max(0, "are not supported here yet").optional(),
  sidecars: z.array(z.unknown()).max(0, "are not supported here").optional(),
});
export type Application = z.output<typeof application>;
export type ProcessPart = Pick<Application, keyof typeof processKeys>;

const manifest = z.looseObject({
  version: z
    .literal(1, { error: "Unsupported manifest schema version. Currently supported versions: [1]." })
    .optional(),
  applications: z.array(z.unknown()).min(1),
});

/** The applications of a manifest; everything that is wrong with any of them at once. */
export function applicationsOf(document: unknown): { read: Application[]; raw: Record<string, unknown>[] } {
  const outer = manifest.safeParse(document);
  if (!outer.success) {
    const [issue] = outer.error.issues;
    const version = issue?.path[0] === "version";
    throw unprocessable(version ? issue.message : "Cannot parse manifest with no 'applications' field.");
  }
  const problems: string[] = [];
  const read = outer.data.applications.flatMap((one, at) => {
    const result = application.safeParse(one);
    if (result.success) return [result.data];
    problems.push(...result.error.issues.map((issue) => problem(one, at, issue)));
    return [];
  });
  if (problems.length > 0) throw unprocessable(problems.join(", "));
  return { read, raw: outer.data.applications as Record<string, unknown>[] };
}

function problem(one: unknown, at: number, { path, message }: z.core.$ZodIssue): string {
  const name = (one as { name?: unknown } | null)?.name;
  const who = typeof name === "string" && name ? `For application '${name}'` : `For application at index ${at}`;
  return `${who}: ${path.map(String).join(".")} ${message}`;
}
