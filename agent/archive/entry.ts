/** What an archive may be at most. Absent parts of a setting have `zipLimits`' value. */
export interface ZipLimits {
  entries: number;
  /** All entries together, unpacked. */
  bytes: number;
  /** Unpacked bytes for one packed byte, over the whole archive. */
  ratio: number;
  /** Bytes of one name. */
  nameLength: number;
}

/** Enough for every app seen so far. Deflate can reach 1030, text 20, so 200 is far from both. */
export const zipLimits: ZipLimits = { entries: 65_000, bytes: 4 * 1024 ** 3, ratio: 200, nameLength: 1024 };

/** Below this many unpacked bytes the ratio says nothing: a small file of zeros is no bomb. */
export const ratioFloor = 8 * 1024 ** 2;

/** An entry as a person sees it. `size` in bytes, unpacked; `mode` the permission bits; `name` of a directory without the slash. */
export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  readonly mode: number;
  readonly kind: "file" | "directory" | "symlink";
  /** Where a symlink points, as it is written. */
  readonly target?: string;
}
