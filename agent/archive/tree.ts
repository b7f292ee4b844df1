import { BadArchive, shown } from "./bad.ts";
import type { ZipEntry } from "./entry.ts";
import { checkLink } from "./links.ts";
import { nameKey } from "./names.ts";

/** Refuses entries that are fine one by one and not together: twice the same name, a file used as a folder, links. */
export function checkTree(entries: readonly ZipEntry[]): void {
  const kinds = checkUnique(entries);
  for (const { name } of entries) checkParents(name, kinds);
  const links = new Map(entries.flatMap((one) => (one.target === undefined ? [] : [[one.name, one.target] as const])));
  for (const [name, target] of links) checkLink(name, target, links);
}

function checkUnique(entries: readonly ZipEntry[]): Map<string, ZipEntry["kind"]> {
  const kinds = new Map<string, ZipEntry["kind"]>();
  for (const { name, kind } of entries) {
    const key = nameKey(name);
    if (kinds.has(key)) throw new BadArchive("duplicate", `${shown(name)} is in the archive twice`);
    kinds.set(key, kind);
  }
  return kinds;
}

function checkParents(name: string, kinds: ReadonlyMap<string, ZipEntry["kind"]>): void {
  const key = nameKey(name);
  for (let slash = key.indexOf("/"); slash > 0; slash = key.indexOf("/", slash + 1)) {
    const parent = key.slice(0, slash);
    const kind = kinds.get(parent);
    // Whoever writes the link first and then the file below it has left the tree.
    if (kind === "symlink")
      throw new BadArchive("bad_link", `${shown(name)} would be written through the symlink ${shown(parent)}`);
    if (kind === "file") throw new BadArchive("duplicate", `${shown(parent)} is a file and a folder at once`);
  }
}
