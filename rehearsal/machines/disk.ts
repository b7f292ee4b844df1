import { existsSync, mkdirSync, readFileSync, realpathSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { attempt, run } from "../room/programs.ts";
import type { Places } from "./command.ts";
import { MachineFailed } from "./failed.ts";
import type { MachinePlan } from "./machine.ts";

/** GiB of the image's file system. */
const imageSize = 8;

/**
 * Makes the machine's disk of the image, if it has none yet: a file with holes, which takes only what is in it. A file
 * system of its own and not a layer over the image's directory: in the latter no container could have layers in turn.
 */
export async function makeDisk(plan: MachinePlan, { disk, root }: Places): Promise<void> {
  if (existsSync(disk)) return;
  mkdirSync(root, { recursive: true, mode: 0o700 });
  const part = `${disk}.part`;
  await run("cp", ["--reflink=auto", "--sparse=always", plan.image, part]);
  if (plan.disk > imageSize) {
    await run("truncate", ["--size", `${plan.disk}G`, part]);
    await run("resize2fs", [part]);
  }
  await mount(part, root);
  try {
    for (const [path, text] of Object.entries(plan.files ?? {})) writeInside(root, path, text);
  } finally {
    await unmount(root);
  }
  renameSync(part, disk);
}

/** Mounts a disk unless it is. The loop device goes with the mount. */
export async function mount(disk: string, root: string): Promise<void> {
  if (isMounted(root)) return;
  // noinit_itable: else the kernel fills the holes with tables of inodes, 300 MiB of zeros.
  await run("mount", ["-t", "ext4", "-o", "loop,noinit_itable,discard", disk, root]);
}

/** Whoever still looks into it keeps it until he goes. */
export async function unmount(root: string): Promise<void> {
  if (!isMounted(root)) return;
  const { code } = await attempt("umount", [root]);
  if (code !== 0) await run("umount", ["--lazy", root]);
}

/**
 * FS_IOC_SHUTDOWN with "don't flush the log": from now on nothing reaches the disk, and what waited for it is lost. Perl
 * is on every Debian, and asks it of a file; any will do.
 */
const goingDown =
  'my ($how, $file) = pack("L", 2); open($file, "<", $ARGV[0]) && ioctl($file, 0x8004587d, $how) || die $!';

/** What a power cut does to a disk. The file system answers only errors from then on; it has to be mounted anew. */
export async function cutDisk(root: string): Promise<boolean> {
  if (!isMounted(root)) return true;
  const { code } = await attempt("perl", ["-e", goingDown, join(root, "etc/passwd")]);
  return code === 0;
}

function isMounted(root: string): boolean {
  const escaped = root.replaceAll(" ", "\\040");
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[4] === escaped);
}

/** Links of an image may lead out of it, as seen from here. */
function writeInside(root: string, path: string, text: string): void {
  const target = join(root, path);
  const folder = dirname(target);
  mkdirSync(folder, { recursive: true });
  const inside = realpathSync(folder);
  if (inside !== realpathSync(root) && !inside.startsWith(`${realpathSync(root)}/`))
    throw new MachineFailed(`${path} would be written outside the machine, to ${inside}`, {
      ...{ code: "file_outside", hint: "name the file by a path without links" },
    });
  rmSync(target, { force: true });
  writeFileSync(target, text, { mode: 0o644 });
}
