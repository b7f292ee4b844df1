import { z } from "zod";
import type { ZipSource } from "../../archive/pack.ts";
import { type Api, type Call, created, type Endpoint, post } from "./api.ts";
import { parse } from "./body.ts";
import { ApiError, kinds } from "./errors.ts";

/** Files smaller than this (bytes) are sent again each time: asking would cost as much as sending. */
export const smallest = 64 * 1024;

const sha1 = z.string().regex(/^[0-9a-f]{40}$/i, "must be a SHA-1 in hex");

/** A file as a client describes it. Files below `smallest` carry whatever the client liked as their checksum. */
const resource = z.object({
  checksum: z.object({ value: z.string() }),
  size_in_bytes: z.int().min(0),
  path: z.string().optional(),
  mode: z.string().optional(),
});
const matching = z.strictObject({
  resources: z
    .array(resource)
    .min(1, "is too short (minimum is 1 items)")
    .max(5000, "is too long (maximum is 5000 items)"),
});

/** The older form of the same, which clients still send beside their bits. */
const older = z
  .object({ fn: z.string(), sha1: z.string(), size: z.int().min(0), mode: z.string().optional() })
  .transform(({ fn, sha1, size, mode }) => ({ path: fn, checksum: { value: sha1 }, size_in_bytes: size, mode }));
const claimed = z.array(z.union([older, resource.extend({ path: z.string() })]));

type Resource = z.output<typeof resource>;

export const resources = (api: Api): Endpoint[] => [
  { ...post("/v3/resource_matches", (call) => match(api, call)), bodyLimit: 8 * 1024 * 1024 },
];

/** Which of these files are here already? */
async function match(api: Api, call: Call) {
  const { resources } = parse(matching, call.body);
  const known: Resource[] = [];
  for (const one of resources) if (await blobOf(api, one)) known.push(one);
  return created({ resources: known.map((one) => ({ ...one, mode: one.mode ?? "644" })) });
}

async function blobOf({ tables, blobs }: Api, { checksum, size_in_bytes }: Resource): Promise<string | undefined> {
  if (size_in_bytes < smallest || !sha1.safeParse(checksum.value).success) return undefined;
  const entry = await tables.resources.get(checksum.value.toLowerCase());
  if (entry?.value.size !== size_in_bytes) return undefined;
  return (await blobs.has(entry.value.sha256)) ? entry.value.sha256 : undefined;
}

/** The files of an upload's `resources` part, to be packed beside its bits. Rejects when one is not here. */
export async function knownFiles(api: Api, claims: unknown): Promise<ZipSource[]> {
  const files: ZipSource[] = [];
  for (const one of claimedIn(claims)) {
    const sha256 = await blobOf(api, one);
    if (!sha256)
      throw new ApiError(
        kinds.upload,
        `The app upload is invalid: ${one.path} is not known here, send it with the bits`,
      );
    files.push({
      name: one.path,
      size: one.size_in_bytes,
      mode: modeOf(one.mode),
      open: () => opened(api, sha256, one.path),
    });
  }
  return files;
}

function claimedIn(claims: unknown): z.output<typeof claimed> {
  try {
    return claimed.parse(typeof claims === "string" ? JSON.parse(claims) : claims);
  } catch (cause) {
    throw new ApiError(kinds.upload, "The app upload is invalid: resources is not a JSON array of files", cause);
  }
}

const modeOf = (mode: string | undefined) =>
  (/^[0-7]{3,6}$/.test(mode ?? "") ? Number.parseInt(mode ?? "", 8) & 0o777 || 0o644 : 0o644) | 0o100000;

async function opened({ blobs }: Api, sha256: string, path: string) {
  const bytes = await blobs.get(sha256);
  if (!bytes)
    throw new ApiError(kinds.upload, `The app upload is invalid: ${path} is no longer known here, push again`);
  return bytes;
}
