import { existsSync, mkdirSync, rmdirSync, statfsSync } from "node:fs";
import { dirname, join } from "node:path";
import { cachedImage } from "../image/image.ts";
import { type Hierarchy, hierarchies, memoryTree } from "./hierarchies.ts";
import { attempt, programPath, toolsBin } from "./programs.ts";

/** Something that machines need and this computer has not. */
export interface Lack {
  /** In a word or two. */
  readonly what: string;
  readonly why: string;
  /** The next thing to do. */
  readonly hint: string;
}

/** What there is without machines, whatever is lacking. */
export const stillWorks =
  "without machines there are: `tutti solo up`, a cluster on this computer; the offline preview";

/** A person's words for what is lacking. */
export function lacksText(lacks: readonly Lack[]): string {
  const rows = lacks.map(({ what, why, hint }) => `  ${what}: ${why}\n    ${hint}`);
  return [`machines can't boot here:`, ...rows, stillWorks].join("\n");
}

const setup = "run: node bin/setup.mjs --machines";
const fromDistribution = (name: string) => `install ${name} with your package manager`;

/** Program → where it comes from. */
const programs: Readonly<Record<string, string>> = {
  "systemd-nspawn": setup,
  nft: setup,
  ip: fromDistribution("iproute2"),
  ...Object.fromEntries(
    ["unshare", "nsenter", "setpriv", "flock", "mount", "umount", "losetup"].map((name) => [
      name,
      fromDistribution("util-linux"),
    ]),
  ),
  "mkfs.ext4": fromDistribution("e2fsprogs"),
  resize2fs: fromDistribution("e2fsprogs"),
};

/** What machines need and this computer has not; empty when they can boot. Changes nothing. */
export async function lacks(): Promise<Lack[]> {
  if (process.platform !== "linux") return [notLinux];
  const missing = missingPrograms();
  // Without root there is no telling of the rest.
  if (process.getuid?.() !== 0) return [notRoot, ...missing];
  const found = [...missing, ...lacksOfGroups(hierarchies()), ...lacksOfDisk()];
  if (missing.length > 0) return found;
  return [...found, ...(await Promise.all(trials.map(tried))).flat()];
}

const notLinux: Lack = {
  what: "Linux",
  why: `this is ${process.platform}, and the machines share the kernel of the computer that they run on`,
  hint: "use a Linux, or a virtual machine with one",
};

const notRoot: Lack = {
  what: "root",
  why: "only root may make networks, mounts, loop devices and control groups",
  hint: "run it as root (sudo)",
};

function missingPrograms(): Lack[] {
  const needed = Object.entries(cachedImage() ? programs : { ...programs, mmdebstrap: setup });
  return needed
    .filter(([name]) => !programPath(name))
    .map(([name, hint]) => ({ what: name, why: `it is neither on PATH nor in ${toolsBin}`, hint }));
}

/** Limits of machines: control groups that we may write, one of them for memory. */
export function lacksOfGroups(trees: readonly Hierarchy[], writable = isWritable): Lack[] {
  const memory = memoryTree(trees);
  const hint = "boot a kernel with control groups for memory (cgroup_enable=memory), or leave the container";
  if (!memory) return [{ what: "control groups", why: "none of them limits memory here", hint }];
  const closed = trees.filter(({ path }) => !writable(path)).map(({ path }) => path);
  if (closed.length === 0) return [];
  const why = `these may not be written: ${closed.join(", ")}`;
  return [{ what: "control groups", why, hint: "leave the container, or give it the right to (docker: --privileged)" }];
}

function isWritable(path: string): boolean {
  const probe = join(path, `tutti-probe-${process.pid}`);
  try {
    mkdirSync(probe);
    rmdirSync(probe);
    return true;
  } catch {
    return false;
  }
}

/** GiB: four machines that have written something, and the directory that the image is made of. */
const space = { cached: 4, building: 7 };

function lacksOfDisk(): Lack[] {
  const needed = cachedImage() ? space.cached : space.building;
  const cache = dirname(dirname(toolsBin));
  const { bavail, bsize } = statfsSync(existsSync(cache) ? cache : dirname(cache));
  const free = (bavail * bsize) / 2 ** 30;
  if (free >= needed) return [];
  const why = `${cache} has ${free.toFixed(1)} GiB, machines and their image need ${needed}`;
  return [{ what: "free disk", why, hint: "make room" }];
}

interface Trial {
  readonly what: string;
  readonly hint: string;
  readonly program: string;
  readonly args: readonly string[];
}

const closed = "this kernel, or a container around us, forbids it: use a computer or a virtual machine of your own";
const inRoom = ["--net", "--mount", "--pid", "--fork", "--propagation", "private", "--", "sh", "-c"];

/** Each is what a room does, once, in namespaces that are gone when it ends. */
const trials: readonly Trial[] = [
  { what: "namespaces", hint: closed, program: "unshare", args: [...inRoom, "mount -t tmpfs tmpfs /run"] },
  {
    what: "virtual networks",
    hint: "load the modules veth, bridge and nf_tables (modprobe), or use a kernel that has them",
    program: "unshare",
    args: [...inRoom, networks(programPath("nft") ?? "nft")],
  },
  { what: "loop devices", hint: "load the module loop (modprobe loop)", program: "losetup", args: ["--find"] },
];

function networks(nft: string): string {
  return `ip link add name a type veth peer name b && ip link add name c type bridge && '${nft}' add table ip tutti`;
}

async function tried({ what, hint, program, args }: Trial): Promise<Lack[]> {
  const { code, out } = await attempt(program, args);
  return code === 0 ? [] : [{ what, why: out.trim().split("\n").at(-1) || `${program} failed`, hint }];
}
