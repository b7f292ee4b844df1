import { constants, crc32, deflateRawSync } from "node:zlib";

/** What stands where each node differs from the next, while a frame is made: no template and no value has these. */
export const holes = { id: "\u0001", birth: "\u0002" } as const;

/** The values of one node. */
export type Filling = Readonly<Record<keyof typeof holes, string>>;

/**
 * What the user data of many nodes have in common: a thousand differ in their names and their births, which are a tenth
 * of it. The rest is written, looked through and compressed once.
 */
export interface Frame {
  /** Alternately text and hole, up to the last hole. */
  readonly head: readonly string[];
  /** The text behind it. */
  readonly tail: string;
  readonly packed: { readonly bytes: Buffer; readonly length: number; readonly deflated: Buffer };
}

/** A text with holes → frame. */
export function frameOf(text: string): Frame {
  const parts = text.split(new RegExp(`(${holes.id}|${holes.birth})`));
  const tail = parts.at(-1) ?? "";
  const bytes = Buffer.from(tail, "utf8");
  return {
    head: parts.slice(0, -1),
    tail,
    packed: { bytes, length: bytes.length, deflated: deflateRawSync(bytes, level) },
  };
}

/** The part of a text that is one node's own. */
export function headOf({ head }: Frame, { id, birth }: Filling): string {
  return head.map((part) => (part === holes.id ? id : part === holes.birth ? birth : part)).join("");
}

/** The beginning of the tail, because what begins in the head may end there. */
export const seam = ({ tail }: Frame): string => tail.slice(0, 400);

/** A higher level takes twice the time for 8 bytes less. */
const level = { level: 6 };
/** Memory for texts of a few KiB: what zlib takes otherwise is a quarter of a MiB each time. */
const small = { windowBits: 12, memLevel: 5, chunkSize: 4096 };
/** Without time, name and operating system: the same text gives the same bytes. */
const header = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255]);

/** A head and its frame's tail as one gzip file. Blocks of DEFLATE stand side by side as they are. */
export function gzipped(head: string, { packed }: Frame): Buffer {
  const bytes = Buffer.from(head, "utf8");
  const deflated = deflateRawSync(bytes, { ...level, ...small, finishFlush: constants.Z_FULL_FLUSH });
  const trailer = Buffer.alloc(8);
  trailer.writeUInt32LE(crc32(packed.bytes, crc32(bytes)), 0);
  trailer.writeUInt32LE(bytes.length + packed.length, 4);
  return Buffer.concat([header, deflated, packed.deflated, trailer]);
}
