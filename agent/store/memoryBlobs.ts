import { Readable } from "node:stream";
import { abortable } from "./abortable.ts";
import { type BlobInfo, type Blobs, NoRoom } from "./blobs.ts";
import { measuring } from "./hashing.ts";

export interface MemoryBlobsOptions {
  /** Bytes that may be kept. */
  room?: number;
}

export interface MemoryBlobs extends Blobs {
  /** Bytes that are kept. */
  used(): number;
}

/** Blobs inside one process: pass the same contract as those in the object store. */
export function memoryBlobs({ room = Number.POSITIVE_INFINITY }: MemoryBlobsOptions = {}): MemoryBlobs {
  const blobs = new Map<string, { info: BlobInfo; bytes: Buffer }>();
  const used = () => [...blobs.values()].reduce((sum, { info }) => sum + info.size, 0);
  return {
    used,
    async put(bytes, stop) {
      const chunks: Buffer[] = [];
      const measure = measuring();
      let size = 0;
      for await (const chunk of abortable(bytes, stop)) {
        chunks.push(Buffer.from(chunk));
        measure.add(chunk);
        size += chunk.length;
        if (used() + size > room) throw new NoRoom(`there is no room for ${size} more bytes`);
      }
      const info = measure.info();
      if (!blobs.has(info.sha256)) blobs.set(info.sha256, { info, bytes: Buffer.concat(chunks) });
      return info;
    },
    async get(sha256) {
      const blob = blobs.get(sha256);
      return blob && Readable.from([blob.bytes], { objectMode: false });
    },
    has: async (sha256) => blobs.get(sha256)?.info,
    async delete(sha256) {
      blobs.delete(sha256);
    },
  };
}
