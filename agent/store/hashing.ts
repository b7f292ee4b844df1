import { createHash } from "node:crypto";
import type { BlobInfo } from "./blobs.ts";

/** Takes the measure of bytes that pass by. */
export interface Measuring {
  add(chunk: Uint8Array): void;
  /** May be asked once. */
  info(): BlobInfo;
}

export function measuring(): Measuring {
  const [sha256, sha1] = [createHash("sha256"), createHash("sha1")];
  let size = 0;
  return {
    add(chunk) {
      sha256.update(chunk);
      sha1.update(chunk);
      size += chunk.length;
    },
    info: () => ({ sha256: sha256.digest("hex"), sha1: sha1.digest("hex"), size }),
  };
}

/** The bytes did not turn out to be what their name says. */
export class BlobCorrupt extends Error {
  override name = "BlobCorrupt";
  readonly sha256: string;
  constructor(sha256: string) {
    super(`the blob ${sha256} is damaged: its bytes do not match its hash`);
    this.sha256 = sha256;
  }
}

/** The chunks as they come, failing at the end when they are not those of `sha256`. */
export async function* checked(sha256: string, chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const measure = measuring();
  for await (const chunk of chunks) {
    measure.add(chunk);
    yield chunk;
  }
  if (measure.info().sha256 !== sha256) throw new BlobCorrupt(sha256);
}
