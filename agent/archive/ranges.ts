import { BadArchive, shown } from "./bad.ts";

/** The bytes of an archive that an entry claims: from `start` to before `end`. */
export interface Range {
  readonly name: string;
  readonly start: number;
  readonly end: number;
}

/**
 * Refuses entries that share bytes with each other or with the list at `limit`. Small archives that unpack to
 * petabytes are made so, and so are archives in which one program sees other files than the next.
 */
export function checkRanges(ranges: readonly Range[], limit: number): void {
  const sorted = [...ranges].sort((a, b) => a.start - b.start || a.end - b.end);
  for (const [i, one] of sorted.entries()) {
    const next = sorted[i + 1];
    if (next && next.start < one.end)
      throw new BadArchive("overlap", `${shown(one.name)} and ${shown(next.name)} lie over each other in the archive`);
    if (one.end > limit) throw new BadArchive("overlap", `${shown(one.name)} reaches into the archive's list`);
  }
}
