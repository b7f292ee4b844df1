import yauzl, { type Entry } from "yauzl";
import { BadArchive, shown } from "./bad.ts";
import type { ZipEntry, ZipLimits } from "./entry.ts";
import { checkName } from "./names.ts";

/** An entry of an archive's list, believed, with what is needed to read its content. */
export interface Header extends ZipEntry {
  /** Packed bytes, and where in the file they begin. */
  readonly packed: number;
  readonly start: number;
  readonly raw: Entry;
}

/** A longer link is no path of Linux. */
const linkLength = 4095;

/** Reads one entry of the list. Throws BadArchive. */
export function header(raw: Entry, limits: ZipLimits): Omit<Header, "start"> {
  const written = nameOf(raw);
  checkName(written, limits.nameLength);
  const name = written.replace(/\/$/, "");
  checkForm(raw, name);
  const kind = kindOf(raw, written);
  if (kind === "directory" && raw.uncompressedSize > 0)
    throw new BadArchive("damaged", `the folder ${shown(name)} has a content of its own`);
  if (kind === "symlink" && raw.uncompressedSize > linkLength)
    throw new BadArchive("bad_link", `the symlink ${shown(name)} is ${raw.uncompressedSize} bytes long`);
  const mode = (raw.externalFileAttributes >>> 16) & 0o777;
  return { name, size: raw.uncompressedSize, packed: raw.compressedSize, mode, kind, raw };
}

/** Names without the UTF-8 mark are UTF-8 all the same nowadays; only what cannot be is read as the code page of 1981. */
function nameOf(raw: Entry): string {
  const utf8 = decoded(raw.fileNameRaw);
  const marked = (raw.generalPurposeBitFlag & 0x800) !== 0;
  if (marked && utf8 === undefined)
    throw new BadArchive(
      "bad_name",
      `the name ${shown(raw.fileNameRaw.toString("latin1"))} is said to be UTF-8 and is not`,
    );
  const flags = utf8 === undefined ? 0 : 0x800;
  return yauzl.getFileNameLowLevel(flags, raw.fileNameRaw, raw.extraFields, true);
}

/** The text, or undefined when the bytes are no UTF-8. */
export function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function checkForm(raw: Entry, name: string): void {
  if (raw.isEncrypted()) throw new BadArchive("encrypted", `${shown(name)} is encrypted`);
  if (raw.compressionMethod !== 0 && raw.compressionMethod !== 8)
    throw new BadArchive(
      "unsupported",
      `${shown(name)} is packed by a method we do not know (${raw.compressionMethod})`,
    );
  if (raw.compressionMethod === 0 && raw.compressedSize !== raw.uncompressedSize)
    throw new BadArchive("size_lies", `${shown(name)} is not packed and has two sizes all the same`);
  // The extra field of PKWARE's Unix zip holds times and owner in 12 bytes; what follows names a device or a link.
  if (raw.extraFields.some((field) => field.id === 0x000d && field.data.length > 12))
    throw new BadArchive("special_file", `${shown(name)} is a hard link or a device`);
}

const types = new Map<number, ZipEntry["kind"]>([
  [0o100000, "file"],
  [0o040000, "directory"],
  [0o120000, "symlink"],
]);

/** The upper attribute bits are taken as a Unix mode whatever system wrote them: other programs do so too. */
function kindOf(raw: Entry, written: string): ZipEntry["kind"] {
  const type = (raw.externalFileAttributes >>> 16) & 0o170000;
  const slash = written.endsWith("/");
  const kind = type === 0 ? (slash ? "directory" : "file") : types.get(type);
  if (!kind) throw new BadArchive("special_file", `${shown(written)} is a device, a socket or a pipe`);
  if (slash && kind !== "directory")
    throw new BadArchive("damaged", `${shown(written)} has the name of a folder and is a ${kind}`);
  return kind;
}
