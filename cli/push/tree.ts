import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { access, constants, lstat, readdir, readFile, readlink } from "node:fs/promises";
import { join, posix, relative } from "node:path";
import { pipeline } from "node:stream/promises";
import { Fault } from "../fault.ts";
import { type Ignored, ignoring } from "../ignore.ts";

/** A file, link or empty directory of the app. `path` is relative, with `/`. */
export interface Entry {
  path: string;
  kind: "file" | "link" | "directory";
  /** Absolute. */
  source: string;
  size: number;
  mode: number;
  mtime: Date;
  /** Of a link. */
  target?: string;
  /** SHA-1, of files large enough to be asked about before they are sent. */
  sha1?: string;
}

/** Smaller files are sent faster than asked about; Cloud Foundry's controllers ignore them too. */
export const worthAsking = 64 * 1024;

/** Everything of a directory that the ignore files leave, sorted, so that the same tree makes the same upload. */
export async function readTree(directory: string, ignores: readonly string[] = []): Promise<Entry[]> {
  const files = await Promise.all([".cfignore", ".stackatoignore"].map((name) => text(join(directory, name))));
  const ignored = ignoring(...files, ignores.join("\n"));
  const entries: Entry[] = [];
  await walk({ directory, ignored, entries }, "").catch((error: NodeJS.ErrnoException) => {
    throw error instanceof Fault ? error : unreadable(directory, error);
  });
  if (entries.length === 0) {
    throw new Fault(`there is nothing to push in ${directory}`, {
      code: "nothing_to_push",
      hint: "tutti push APP --path DIRECTORY",
    });
  }
  for (const entry of entries)
    if (entry.kind === "file" && entry.size >= worthAsking) entry.sha1 = await sha1(directory, entry.source);
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

interface Walk {
  directory: string;
  ignored: Ignored;
  entries: Entry[];
}

async function walk(around: Walk, below: string): Promise<number> {
  const { directory, ignored, entries } = around;
  const children = await readdir(join(directory, below), { withFileTypes: true });
  let kept = 0;
  for (const child of children) {
    const path = below ? `${below}/${child.name}` : child.name;
    if (ignored(path, child.isDirectory())) continue;
    const entry = await look(join(directory, path), path);
    if (!entry) continue;
    kept++;
    if (entry.kind !== "directory") entries.push(entry);
    // A directory that holds nothing still is one: programs write into it.
    else if ((await walk(around, path)) === 0) entries.push(entry);
  }
  return kept;
}

/** Undefined for sockets, pipes and devices, which mean nothing elsewhere. */
async function look(source: string, path: string): Promise<Entry | undefined> {
  const { size, mode, mtime, ...stat } = await lstat(source).then((found) => ({
    size: found.size,
    mode: found.mode & 0o777,
    mtime: found.mtime,
    file: found.isFile(),
    directory: found.isDirectory(),
    link: found.isSymbolicLink(),
  }));
  // Said now, before anything is made, and not in the middle of the upload.
  if (stat.file) await access(source, constants.R_OK);
  if (stat.file) return { path, kind: "file", source, size, mode: mode | 0o600, mtime };
  if (stat.directory) return { path, kind: "directory", source, size: 0, mode: mode | 0o700, mtime };
  if (!stat.link) return undefined;
  const target = await readlink(source);
  if (leaves(path, target)) throw outside(path, target);
  return { path, kind: "link", source, size: Buffer.byteLength(target), mode: 0o777, mtime, target };
}

/** Whether a link leads out of the tree by its own words. The cluster follows chains of links and looks again. */
function leaves(path: string, target: string): boolean {
  const reached = posix.normalize(posix.join(posix.dirname(path), target));
  return target.startsWith("/") || reached === ".." || reached.startsWith("../");
}

function outside(path: string, target: string): Fault {
  return new Fault(`the link ${path} leads out of the app, to ${target}`, {
    code: "link_outside",
    hint: `replace it by what it points to, or leave it behind: echo /${path} >> .cfignore`,
  });
}

function unreadable(directory: string, error: NodeJS.ErrnoException): Fault {
  const { code, path } = error;
  if (code === "ENOENT" && path === directory)
    return new Fault(`there is no directory ${directory}`, {
      code: "no_directory",
      hint: "name the directory that the app is in: tutti push APP --path DIRECTORY",
      cause: error,
    });
  if (code === "ENOTDIR")
    return new Fault(`${directory} is not a directory`, {
      code: "no_directory",
      hint: "push the directory the app is in",
      cause: error,
    });
  const why = code === "EACCES" ? "permission denied" : error.message;
  return new Fault(`${path ?? directory} cannot be read: ${why}`, {
    code: "unreadable",
    hint: path
      ? `change its permissions, or leave it behind: echo /${relative(directory, path)} >> .cfignore`
      : undefined,
    cause: error,
  });
}

async function sha1(directory: string, path: string): Promise<string> {
  const hash = createHash("sha1");
  await pipeline(createReadStream(path), hash).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(directory, error);
  });
  return hash.digest("hex");
}

async function text(path: string): Promise<string> {
  return readFile(path, "utf8").catch(() => "");
}
