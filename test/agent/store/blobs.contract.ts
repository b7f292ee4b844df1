import { createHash, randomBytes } from "node:crypto";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { type Blobs, NoRoom } from "../../../agent/store/blobs.ts";

export interface TestBlobs {
  blobs: Blobs;
  /** Bytes that the store holds now, whatever they belong to. */
  held(): Promise<number>;
  close(): Promise<void>;
}

const hash = (name: "sha1" | "sha256", bytes: Uint8Array) => createHash(name).update(bytes).digest("hex");
const mib = 1024 * 1024;

/** Random bytes in pieces as they come from a network; then `atEnd`. */
export async function* pieces(bytes: Uint8Array, atEnd: () => unknown = () => {}) {
  for (let at = 0; at < bytes.length; at += 50_000) yield bytes.subarray(at, at + 50_000);
  await atEnd();
}

/** What every blob store does. `open` gives one with room for 4 MiB. */
export function blobsContract(name: string, open: () => Promise<TestBlobs>): void {
  describe(`a blob store (${name})`, () => {
    let opened: TestBlobs;
    let blobs: Blobs;
    beforeEach(async () => {
      opened = await open();
      ({ blobs } = opened);
    });
    afterEach(() => opened.close());

    test("gives back what was put in, under its hash, with hashes and size", async () => {
      const bytes = randomBytes(1_500_000);
      const info = await blobs.put(Readable.from(pieces(bytes)));
      expect(info).toEqual({ sha256: hash("sha256", bytes), sha1: hash("sha1", bytes), size: bytes.length });
      expect(await blobs.has(info.sha256)).toEqual(info);
      const stream = await blobs.get(info.sha256);
      expect(stream && (await buffer(stream)).equals(bytes)).toBe(true);
    });

    test("keeps an empty blob", async () => {
      const info = await blobs.put(Readable.from([]));
      expect(info).toMatchObject({ sha256: hash("sha256", Buffer.alloc(0)), size: 0 });
      expect(await blobs.has(info.sha256)).toEqual(info);
      const stream = await blobs.get(info.sha256);
      expect(stream && (await buffer(stream)).length).toBe(0);
    });

    test("knows nothing of a blob that was never put in", async () => {
      const unknown = hash("sha256", Buffer.from("unknown"));
      expect(await blobs.has(unknown)).toBeUndefined();
      expect(await blobs.get(unknown)).toBeUndefined();
      await blobs.delete(unknown);
    });

    test("stores the same bytes once", async () => {
      const bytes = randomBytes(mib);
      const first = await blobs.put(Readable.from(pieces(bytes)));
      const held = await opened.held();
      expect(await blobs.put(Readable.from(pieces(bytes)))).toEqual(first);
      expect(await opened.held()).toBe(held);
    });

    test("forgets a deleted blob, frees its room, and takes it in again", async () => {
      const before = await opened.held();
      const bytes = randomBytes(mib);
      const { sha256 } = await blobs.put(Readable.from(pieces(bytes)));
      await blobs.delete(sha256);
      expect([await blobs.has(sha256), await blobs.get(sha256), await opened.held()]).toEqual([
        undefined,
        undefined,
        before,
      ]);
      await blobs.put(Readable.from(pieces(bytes)));
      expect(await blobs.has(sha256)).toMatchObject({ sha256 });
    });

    test("keeps nothing of a stream that fails", async () => {
      const before = await opened.held();
      const broken = pieces(randomBytes(mib), () => {
        throw new Error("the line was cut");
      });
      await expect(blobs.put(Readable.from(broken))).rejects.toThrow("the line was cut");
      expect(await opened.held()).toBe(before);
    });

    test("keeps nothing of an upload that is given up", async () => {
      const before = await opened.held();
      const controller = new AbortController();
      const { promise: never } = Promise.withResolvers<void>();
      const source = Readable.from(pieces(randomBytes(mib), () => [controller.abort(), never][1]));
      await expect(blobs.put(source, controller.signal)).rejects.toThrow();
      expect(source.destroyed).toBe(true);
      expect(await opened.held()).toBe(before);
      const late = Readable.from(pieces(randomBytes(10)));
      await expect(blobs.put(late, controller.signal)).rejects.toThrow();
    });

    test("keeps nothing of a blob for which there is no room, and goes on working", async () => {
      const small = await blobs.put(Readable.from(pieces(randomBytes(1000))));
      const before = await opened.held();
      const source = Readable.from(pieces(randomBytes(6 * mib)));
      await expect(blobs.put(source)).rejects.toThrow(NoRoom);
      expect(source.destroyed).toBe(true);
      expect(await opened.held()).toBe(before);
      expect(await blobs.has(small.sha256)).toEqual(small);
      await blobs.put(Readable.from(pieces(randomBytes(2 * mib))));
    });

    test("takes in the same bytes from two senders at once", async () => {
      const bytes = randomBytes(mib);
      const put = () => blobs.put(Readable.from(pieces(bytes)));
      const [one, two] = await Promise.all([put(), put()]);
      expect(one).toEqual(two);
      const stream = await blobs.get(one.sha256);
      expect(stream && (await buffer(stream)).equals(bytes)).toBe(true);
    });

    test("serves two readers, one of whom leaves early", async () => {
      const bytes = randomBytes(2 * mib);
      const { sha256 } = await blobs.put(Readable.from(pieces(bytes)));
      const [leaver, reader] = [await blobs.get(sha256), await blobs.get(sha256)];
      leaver?.once("data", () => leaver.destroy());
      expect(reader && (await buffer(reader)).equals(bytes)).toBe(true);
    });
  });
}
