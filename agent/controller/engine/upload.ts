import type { Readable } from "node:stream";
import type { FastifyReply, FastifyRequest } from "fastify";
import { type BlobInfo, NoRoom } from "../../store/blobs.ts";
import type { Droplet } from "../records.ts";
import type { EngineOptions } from "./options.ts";

export interface UploadOptions extends Pick<EngineOptions, "tables" | "blobs" | "log"> {
  /** Droplets that are being uploaded to this controller now. */
  uploading: Set<string>;
  onUploaded: (droplet: Droplet) => void;
}

/** Takes a droplet from a stager into the blobs, once. */
export async function takeDroplet(
  request: FastifyRequest,
  reply: FastifyReply,
  { guid, ...options }: UploadOptions & { guid: string },
) {
  const { tables, uploading, onUploaded } = options;
  if (!isAwaited(tables.droplets.get(guid)) || uploading.has(guid)) return reply.code(400).send(notAwaited);
  uploading.add(guid);
  try {
    const info = await store(request, options);
    if (!info) return reply.code(400).send({ description: "the part upload[droplet] is missing" });
    const droplet = await tables.droplets.update(guid, (one) => (isAwaited(one) ? { ...one, ...info } : undefined));
    if (droplet.sha256 !== info.sha256) return reply.code(400).send(notAwaited);
    onUploaded(droplet);
    return reply.code(200).send();
  } catch (error) {
    return refuse(reply, error, options);
  } finally {
    uploading.delete(guid);
  }
}

const notAwaited = { description: "no droplet is awaited here: it was uploaded before, or its staging has ended" };
const isAwaited = (droplet: Droplet | undefined) => droplet?.state === "AWAITING_UPLOAD" && !droplet.sha256;

async function store(request: FastifyRequest, { blobs }: UploadOptions): Promise<BlobInfo | undefined> {
  const gone = new AbortController();
  request.raw.once("aborted", () => gone.abort());
  const parts = request.parts({ limits: { fileSize: Number.POSITIVE_INFINITY, files: 1 } });
  let info: BlobInfo | undefined;
  for await (const part of parts) {
    if (part.type !== "file") continue;
    const bytes: Readable & { truncated?: boolean } = part.file;
    if (part.fieldname === "upload[droplet]" && !info) info = await blobs.put(bytes, gone.signal);
    else bytes.resume();
  }
  return info && { sha256: info.sha256, sha1: info.sha1, size: info.size };
}

function refuse(reply: FastifyReply, error: unknown, { log }: UploadOptions) {
  log.error({ err: error }, "a droplet could not be taken in");
  if (error instanceof NoRoom)
    return reply.code(507).send({ description: `no room for the droplet: ${error.message}` });
  return reply.code(500).send({ description: "the droplet could not be stored" });
}
