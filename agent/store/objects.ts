import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { JetStreamManager } from "@nats-io/jetstream";
import { type ObjectInfo, type ObjectStore, Objm, setSha256Backend } from "@nats-io/obj";
import type { NatsConnection } from "@nats-io/transport-node";
import { abortable } from "./abortable.ts";
import { type BlobInfo, type Blobs, NoRoom } from "./blobs.ts";
import { StoreUnavailable } from "./conflict.ts";
import { checked, measuring } from "./hashing.ts";
import { client, manager } from "./jetstream.ts";
import { lazy } from "./lazy.ts";
import { faultOf } from "./natsFaults.ts";
import { reachable } from "./natsReach.ts";
import { chunksOf, forgetObject } from "./objectStream.ts";
import { sweep } from "./objectSweep.ts";
import { thrift, thriftily } from "./thrift.ts";

export interface ObjectBlobsOptions {
  /** Copies on so many servers; only at creation. */
  replicas?: number;
  /** Bytes that all blobs together may take; only at creation. */
  maxBytes?: number;
  /** Milliseconds to wait for the server's word on one chunk. */
  timeout?: number;
}

export interface ObjectBlobs extends Blobs {
  /** Removes what uploads that broke off left behind more than `age` ms ago. Resolves to how many were removed. */
  sweep(age: number): Promise<number>;
}

interface Opened {
  objects: ObjectStore;
  jsm: JetStreamManager;
}

const blobBucket = "blobs";
// Every chunk is synced to disk before the next is sent: large ones make few syncs. Must stay under the server's max_payload.
const chunkSize = 512 * 1024;

/** Blobs in the NATS object store. May be made before the server has JetStream ready. */
export function objectBlobs(connection: NatsConnection, options: ObjectBlobsOptions = {}): ObjectBlobs {
  const { replicas = 1, maxBytes = -1, timeout = 10_000 } = options;
  setSha256Backend("native");
  const open = lazy(async (): Promise<Opened> => {
    const objects = await new Objm(client(connection, timeout)).create(blobBucket, { replicas, max_bytes: maxBytes });
    return { objects, jsm: await manager(connection, timeout) };
  });
  const within = async <T>(act: (opened: Opened) => Promise<T>): Promise<T> => {
    try {
      await reachable(connection, timeout);
      return await act(await open());
    } catch (error) {
      throw blobFault(error);
    }
  };
  return {
    async put(bytes, stop) {
      try {
        const taking = { bytes: abortable(bytes, stop), stop, timeout };
        return await thriftily(() => within((opened) => take(opened, taking)));
      } finally {
        bytes.destroy();
      }
    },
    get: (sha256) =>
      within(async ({ objects, jsm }) => {
        const info = await stored(objects, sha256);
        return info && Readable.from(slim(checked(sha256, chunksOf(jsm, info))), { objectMode: false });
      }),
    has: (sha256) =>
      within(async ({ objects }) => {
        const info = await stored(objects, sha256);
        return info && { sha256, sha1: info.metadata?.["sha1"] ?? "", size: info.size };
      }),
    delete: (sha256) =>
      within(async ({ objects, jsm }) => {
        const info = await stored(objects, sha256);
        if (info) await forgetObject(jsm, info);
      }),
    sweep: (age) => within(({ jsm }) => sweep(jsm, { bucket: blobBucket, before: Date.now() - age })),
  };
}

interface Taking {
  bytes: AsyncGenerator<Uint8Array>;
  stop: AbortSignal | undefined;
  timeout: number;
}

/** A blob's name is known when all of it has been read: it is stored under a name of its own, then renamed. */
async function take({ objects, jsm }: Opened, { bytes, stop, timeout }: Taking): Promise<BlobInfo> {
  const measure = measuring();
  const name = `upload-${randomUUID()}`;
  const meta = { name, options: { max_chunk_size: chunkSize } };
  const draft = await objects.put(
    meta,
    passing(bytes, (chunk) => measure.add(chunk)),
    { timeout },
  );
  const info = measure.info();
  try {
    stop?.throwIfAborted();
    await objects.update(name, { name: info.sha256, metadata: { sha1: info.sha1 } });
  } catch (error) {
    const there = stop?.aborted ? undefined : await stored(objects, info.sha256);
    // Renamed, only that we did not hear so: its chunks must stay.
    if (there?.nuid === draft.nuid) return info;
    await forgetObject(jsm, draft);
    // Otherwise the same bytes were there already, and the client refused the name.
    if (!there) throw error;
  }
  return info;
}

/** A web stream that reads on only when asked: what has not been stored yet is not read yet. */
function passing(bytes: AsyncGenerator<Uint8Array>, onChunk: (chunk: Uint8Array) => void): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const { done, value } = await bytes.next();
        if (done) return controller.close();
        onChunk(value);
        controller.enqueue(value);
      },
    },
    { highWaterMark: 0 },
  );
}

/** Whoever reads is spared what was read before. */
async function* slim(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const end = thrift();
  try {
    yield* chunks;
  } finally {
    end();
  }
}

async function stored(objects: ObjectStore, name: string): Promise<ObjectInfo | undefined> {
  const info = await objects.info(name);
  return info && !info.deleted ? info : undefined;
}

function blobFault(error: unknown): unknown {
  const reason = error instanceof Error ? error.message : String(error);
  if (error instanceof StoreUnavailable) return error;
  const kind = faultOf(error);
  if (kind === "full") return new NoRoom(`the blob store has no room: ${reason}`, { cause: error });
  if (kind === "unavailable")
    return new StoreUnavailable(`the blob store cannot be reached: ${reason}`, { cause: error });
  return error;
}
