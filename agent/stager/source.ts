import { closeSync, constants, fstatSync, openSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Source } from "./framework.ts";

const ignored = new Set(["node_modules", ".git", ".hg", ".svn"]);
/** Bytes; detection reads no larger file. */
const largest = 1024 * 1024;

/** An unpacked app as detection sees it. A file is read only when it is a plain one: never through a link. */
export function sourceIn(directory: string): Source {
  const names = list(directory).flatMap(({ name, directory: isDirectory }) => {
    if (!isDirectory) return [name];
    if (ignored.has(name)) return [];
    return list(join(directory, name)).flatMap((one) => (one.directory ? [] : [`${name}/${one.name}`]));
  });
  const known = new Set(names);
  return { names, read: (name) => (known.has(name) ? read(join(directory, name)) : undefined) };
}

function list(directory: string): { name: string; directory: boolean }[] {
  return readdirSync(directory, { withFileTypes: true })
    .map((one) => ({ name: one.name, directory: one.isDirectory() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

function read(path: string): string | undefined {
  let file: number;
  try {
    file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    const stat = fstatSync(file);
    return stat.isFile() && stat.size <= largest ? readFileSync(file, "utf8") : undefined;
  } finally {
    closeSync(file);
  }
}
