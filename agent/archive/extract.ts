import { constants } from "node:fs";
import { lstat, mkdir, open, rmdir, symlink, unlink } from "node:fs/promises";
import { join } from "node:path";
import { content } from "./content.ts";
import type { Directory } from "./directory.ts";
import type { Header } from "./header.ts";

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** Writes believed entries below `root`. Takes back everything it wrote when one fails. */
export async function writeEntries(directory: Directory, headers: readonly Header[], root: string): Promise<void> {
  const written = new Written();
  try {
    await written.folder(root);
    // Links come last: as long as anything is written there is no link of the archive to be led away by.
    const order = [...headers].sort((a, b) => Number(a.kind === "symlink") - Number(b.kind === "symlink"));
    for (const header of order) await writeEntry(directory, header, { root, written });
  } catch (error) {
    await written.takeBack();
    throw error;
  }
}

interface Place {
  root: string;
  written: Written;
}

async function writeEntry(directory: Directory, header: Header, { root, written }: Place): Promise<void> {
  const parts = header.name.split("/");
  const folders = header.kind === "directory" ? parts : parts.slice(0, -1);
  for (let depth = 1; depth <= folders.length; depth++) await written.folder(join(root, ...folders.slice(0, depth)));
  const path = join(root, header.name);
  if (header.kind === "symlink") await symlink(header.target ?? "", path);
  if (header.kind === "file") return await writeFile(directory, header, { path, written });
  if (header.kind === "symlink") written.file(path);
}

async function writeFile(directory: Directory, header: Header, to: { path: string; written: Written }): Promise<void> {
  // Only the executable bit is kept: what else the archive says about rights is not its business here.
  const mode = header.mode & 0o111 ? 0o755 : 0o644;
  const file = await open(to.path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, mode);
  to.written.file(to.path);
  try {
    for await (const chunk of content(directory, header)) await file.writeFile(chunk);
  } finally {
    await file.close();
  }
}

/** What has been written so far, so that it can be taken back. */
class Written {
  readonly #paths: { path: string; folder: boolean }[] = [];
  readonly #known = new Set<string>();

  file(path: string): void {
    this.#paths.push({ path, folder: false });
  }

  /** Makes a folder; one that is there already must really be one and not a link to somewhere. */
  async folder(path: string): Promise<void> {
    if (this.#known.has(path)) return;
    try {
      await mkdir(path, { mode: 0o755 });
      this.#paths.push({ path, folder: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST" || !(await lstat(path)).isDirectory()) throw error;
    }
    this.#known.add(path);
  }

  async takeBack(): Promise<void> {
    for (const { path, folder } of this.#paths.reverse()) await (folder ? rmdir(path) : unlink(path)).catch(() => {});
  }
}
