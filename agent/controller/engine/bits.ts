import type { FastifyInstance, FastifyReply, FastifyRequest } from "fastify";
import type { EngineOptions } from "./options.ts";
import { isSigned } from "./signed.ts";
import { takeDroplet, type UploadOptions } from "./upload.ts";

type Guids = { guid: string; sha1: string };
type BitsOptions = UploadOptions & Pick<EngineOptions, "keys">;

/** What stagers and DEAs fetch and bring, each address signed: the bits of a package, and droplets in both directions. */
export function bitsRoutes(app: FastifyInstance, options: BitsOptions): void {
  const { tables, keys } = options;
  const onRequest = async (request: FastifyRequest, reply: FastifyReply) => {
    const [path = ""] = request.url.split("?");
    const query = request.query as Record<string, unknown>;
    if (!isSigned(keys.urls, path, query, Date.now()))
      return reply.code(403).send({ description: "this address is not signed by the cluster or has expired" });
  };
  app.get<{ Params: Guids }>("/staging/app/:guid", { onRequest }, async ({ params }, reply) =>
    sendBlob(reply, options, { sha256: tables.packages.get(params.guid)?.sha256, type: "application/zip" }),
  );
  app.get<{ Params: Guids }>("/staged_droplets/:guid/:sha1", { onRequest }, async ({ params }, reply) => {
    const droplet = tables.droplets.all().find((one) => one.sha1 === params.sha1 && one.state === "STAGED");
    return sendBlob(reply, options, { sha256: droplet?.sha256, type: "application/gzip" });
  });
  app.post<{ Params: Guids }>("/staging/droplet/:guid", { onRequest }, (request, reply) =>
    takeDroplet(request, reply, { ...options, guid: request.params.guid }),
  );
}

async function sendBlob(
  reply: FastifyReply,
  { blobs }: BitsOptions,
  { sha256, type }: { sha256: string | undefined; type: string },
) {
  const info = sha256 ? await blobs.has(sha256) : undefined;
  const bytes = info && (await blobs.get(info.sha256));
  if (!bytes) return reply.code(404).send({ description: "there is no such blob" });
  return reply.header("content-length", info.size).type(type).send(bytes);
}
