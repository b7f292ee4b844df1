import { writeFile } from "node:fs/promises";
import { crc32, deflateRawSync } from "node:zlib";

/** An entry to be laid down byte by byte. What is absent is honest; each lie has a field of its own. */
export interface RawEntry {
  name: string | Buffer;
  data?: Buffer | string;
  /** Upper 16 attribute bits: type and permissions. */
  mode?: number;
  deflate?: boolean;
  flags?: number;
  method?: number;
  extra?: Buffer;
  madeBy?: number;
  /** Lies. */
  size?: number;
  packedSize?: number;
  crc?: number;
  offset?: number;
  localName?: string;
  /** Only in the list: the data of this entry (by number) is used. */
  sharesDataOf?: number;
}

export interface RawZip {
  count?: number;
  comment?: string;
  prefix?: Buffer;
  /** Bytes between the list and its end record. */
  gap?: Buffer;
}

const bytes = (value: string | Buffer) => (typeof value === "string" ? Buffer.from(value) : value);
const u16 = (value: number) => Buffer.from([value & 0xff, (value >>> 8) & 0xff]);
const u32 = (value: number) => Buffer.concat([u16(value & 0xffff), u16(value >>> 16)]);

/** The bytes of an archive, built by hand so that it can be as wrong as one likes. */
export function rawZip(entries: readonly RawEntry[], options: RawZip = {}): Buffer {
  const locals: Buffer[] = [options.prefix ?? Buffer.alloc(0)];
  const offsets: number[] = [];
  const list: Buffer[] = [];
  let at = locals[0]?.length ?? 0;
  for (const entry of entries) {
    const { fields, packed } = head(entry);
    const shared = entry.sharesDataOf === undefined ? undefined : offsets[entry.sharesDataOf];
    const offset = entry.offset ?? shared ?? at;
    offsets.push(offset);
    if (shared === undefined) {
      const local = bytes(entry.localName ?? entry.name);
      const one = Buffer.concat([u32(0x04034b50), u16(20), fields, u16(local.length), u16(0), local, packed]);
      locals.push(one);
      at += one.length;
    }
    list.push(central(entry, fields, offset));
  }
  const directory = Buffer.concat(list);
  const count = options.count ?? entries.length;
  const comment = bytes(options.comment ?? "");
  const end = [u32(0x06054b50), u32(0), u16(count), u16(count), u32(directory.length), u32(at), u16(comment.length)];
  return Buffer.concat([...locals, directory, options.gap ?? Buffer.alloc(0), ...end, comment]);
}

/** Flags, method, time, checksum and sizes: the same in both headers. */
function head(entry: RawEntry): { fields: Buffer; packed: Buffer } {
  const data = bytes(entry.data ?? "");
  const packed = entry.deflate ? deflateRawSync(data) : data;
  const method = entry.method ?? (entry.deflate ? 8 : 0);
  const sizes = [u32(entry.crc ?? crc32(data)), u32(entry.packedSize ?? packed.length), u32(entry.size ?? data.length)];
  return { fields: Buffer.concat([u16(entry.flags ?? 0x800), u16(method), u32(0x40610000), ...sizes]), packed };
}

function central(entry: RawEntry, fields: Buffer, offset: number): Buffer {
  const name = bytes(entry.name);
  const extra = entry.extra ?? Buffer.alloc(0);
  const lengths = [u16(name.length), u16(extra.length), u16(0), u16(0), u16(0)];
  const attributes = u32((((entry.mode ?? 0o100644) << 16) >>> 0) | 0);
  const made = u16(((entry.madeBy ?? 3) << 8) | 20);
  return Buffer.concat([u32(0x02014b50), made, u16(20), fields, ...lengths, attributes, u32(offset), name, extra]);
}

/** Lays an archive down and tells its path. */
export async function layZip(path: string, entries: readonly RawEntry[], options?: RawZip): Promise<string> {
  await writeFile(path, rawZip(entries, options));
  return path;
}
