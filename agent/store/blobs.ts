import type { Readable } from "node:stream";

/** A blob as it was taken in: its name is its hash. Sizes in bytes, hashes in lower-case hex. */
export interface BlobInfo {
  readonly sha256: string;
  readonly sha1: string;
  readonly size: number;
}

/** Bytes by their sha256, streamed in both directions: memory does not grow with the size of a blob. */
export interface Blobs {
  /**
   * Takes in a stream. Nothing is kept when the stream fails, `stop` is aborted or the store has no room
   * (rejects with NoRoom). A blob that is there already is stored once.
   */
  put(bytes: Readable, stop?: AbortSignal): Promise<BlobInfo>;
  /** The bytes, or undefined when there is no such blob. The stream fails when they do not match their hash. */
  get(sha256: string): Promise<Readable | undefined>;
  has(sha256: string): Promise<BlobInfo | undefined>;
  /** A blob that is not there is no error. */
  delete(sha256: string): Promise<void>;
}

/** There is no room for a blob: the disk or the store's quota is full. */
export class NoRoom extends Error {
  override name = "NoRoom";
}
