import { createHash } from "node:crypto";
import { Readable } from "node:stream";
import type { BlobInfo, Blobs } from "../../agent/store/blobs.ts";
export function memoryBlobs(): Blobs {
  const kept = new Map<string, { info: BlobInfo; bytes: Buffer }>();
  return {
    async put(stream) {
      const chunks: Buffer[] = [];
      for await (const chunk of stream) chunks.push(Buffer.from(chunk));
      const bytes = Buffer.concat(chunks);
      const hash = (name: string) => createHash(name).update(bytes).digest("hex");
      const info = { sha256: hash("sha256"), sha1: hash("sha1"), size: bytes.length };
      kept.set(info.sha256, { info, bytes });
      return info;
    },
    get: async (sha256) => (kept.has(sha256) ? Readable.from([kept.get(sha256)?.bytes]) : undefined),
    has: async (sha256) => kept.get(sha256)?.info,
    delete: async (sha256) => void kept.delete(sha256),
  };
}
