import { execFile } from "node:child_process";
import { chmod, mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import type { BuildUser } from "./execute.ts";
import { killLeftovers } from "./leftovers.ts";

const run = promisify(execFile);

/** The directories of one staging. */
export interface Workspace {
  root: string;
  /** The uploaded archive. */
  bits: string;
  /** What is packed; `app/` is in it. */
  droplet: string;
  app: string;
  tarball: string;
  home: string;
  tmp: string;
}

export function workspace(home: string, task: string): Workspace {
  const root = join(home, "work", task);
  const droplet = join(root, "droplet");
  return {
    root,
    bits: join(root, "bits.zip"),
    droplet,
    app: join(droplet, "app"),
    tarball: join(root, "droplet.tgz"),
    home: join(root, "home"),
    tmp: join(root, "tmp"),
  };
}

/** Makes the directories, without `app/`, which the archive makes. */
export async function open(space: Workspace, user: BuildUser | undefined): Promise<void> {
  await mkdir(space.root, { recursive: true, mode: 0o700 });
  for (const dir of [space.droplet, join(space.droplet, "logs"), space.home, space.tmp])
    await mkdir(dir, { mode: 0o755 });
  // Another user must come through to what is theirs.
  if (user) await chmod(space.root, 0o711);
}

/** Gives what the build may write to the build's user. */
export async function handOver(space: Workspace, { uid, gid }: BuildUser): Promise<void> {
  await run("chown", ["-hR", `${uid}:${gid}`, space.droplet, space.home, space.tmp]);
}

export async function close(space: Workspace): Promise<void> {
  await remove(space.root);
}

interface Ground {
  home: string;
  cacheDir: string;
  user: BuildUser | undefined;
}

/** Makes the stager's own directories and removes what a stager that was killed left there. */
export async function clean({ home, cacheDir, user }: Ground): Promise<void> {
  const work = join(home, "work");
  await killLeftovers(`${work}/`);
  await remove(work);
  await mkdir(work, { recursive: true, mode: 0o700 });
  await mkdir(cacheDir, { recursive: true, mode: 0o700 });
  for (const dir of [home, work]) await chmod(dir, user ? 0o711 : 0o700);
  if (user) await run("chown", ["-hR", `${user.uid}:${user.gid}`, cacheDir]);
}

/** Removes a tree, also one whose directories forbid it, as some package managers write them. */
async function remove(path: string): Promise<void> {
  const wipe = () => rm(path, { recursive: true, force: true, maxRetries: 3, retryDelay: 50 });
  await wipe().catch(async () => {
    await run("chmod", ["-R", "u+rwX", path]).catch(() => {});
    await wipe();
  });
}
