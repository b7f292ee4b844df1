import { createWriteStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import type { FastifyRequest } from "fastify";
import { ApiError, kinds, unprocessable } from "./errors.ts";

export interface Parts {
  /** Where the zip lies now. */
  bits?: string;
  /** Files that are known already, as JSON or already read from it. */
  resources?: unknown;
}

/** Bytes of the `resources` part. */
const resourcesLimit = 16 * 1024 * 1024;

/**
 * Writes the parts of an upload to disk as they come: memory does not grow with the upload. Rejects when it is larger
 * than `limit` (bytes), is no upload or breaks off.
 */
export async function receiveParts(
  request: FastifyRequest,
  { directory, limit }: { directory: string; limit: number },
): Promise<Parts> {
  if (!request.isMultipart()) throw unprocessable("Upload must be multipart/form-data with a part named bits");
  if (Number(request.headers["content-length"] ?? 0) > limit + resourcesLimit) throw tooLarge(limit);
  const taken: Parts = {};
  const limits = { fileSize: limit, files: 1, fields: 20, fieldSize: resourcesLimit, parts: 20 };
  for await (const part of request.parts({ limits })) {
    if (part.type === "field") {
      if (part.fieldname !== "resources") continue;
      if (part.valueTruncated) throw tooLarge(resourcesLimit);
      taken.resources = part.value;
    } else if (part.fieldname === "bits" && taken.bits === undefined) {
      taken.bits = join(directory, "bits.zip");
      await pipeline(part.file, createWriteStream(taken.bits, { flags: "wx", mode: 0o600 }));
      if (part.file.truncated) throw tooLarge(limit);
    } else part.file.resume();
  }
  return taken;
}

const tooLarge = (limit: number) =>
  new ApiError(
    kinds.tooLarge,
    `The upload is larger than ${Math.floor(limit / 1024 ** 2)} MiB: leave out what the app does not need to run, e.g. by a .cfignore file`,
  );
