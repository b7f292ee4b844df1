import { globSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { programPath, run } from "../room/programs.ts";
import type { Mirrors } from "./mirrors.ts";
import type { Recipe } from "./recipe.ts";

/** The arguments of mmdebstrap that fill a directory with a Debian. */
export function debianArguments(recipe: Recipe, target: string, mirrors: Mirrors): string[] {
  return [
    "--mode=root",
    // Only what was named and what it needs.
    "--variant=apt",
    `--include=${recipe.packages.join(",")}`,
    ...mirrors.options.map((line) => `--aptopt=${line}`),
    ...recipe.without.map((path) => `--dpkgopt=path-exclude=${path}`),
    recipe.suite,
    target,
    ...mirrors.sources,
  ];
}

/**
 * In namespaces of its own, which die with us: killed, mmdebstrap would leave its mounts of /proc and /sys below the
 * target, for somebody to empty.
 */
export async function fillDebian(args: readonly string[], stop?: AbortSignal): Promise<void> {
  const alone = ["--pdeathsig", "KILL", "--", "unshare", "--mount", "--pid", "--fork", "--kill-child=KILL"];
  const quiet = ["--mount-proc", "--propagation", "private", "--", "nice", "-n", "10"];
  const env = { ...process.env, LC_ALL: "C", TMPDIR: "/tmp" };
  await run("setpriv", [...alone, ...quiet, programPath("mmdebstrap") ?? "mmdebstrap", ...args], { env, stop });
}

/** What a vendor of images does after the installation. */
export function finish({ removed, files, masked }: Recipe, root: string): void {
  for (const pattern of removed)
    for (const path of globSync(pattern, { cwd: root })) rmSync(join(root, path), { force: true });
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    rmSync(join(root, path), { force: true });
    writeFileSync(join(root, path), text, { mode: 0o644 });
  }
  for (const unit of masked) mask(join(root, "etc/systemd/system", unit));
}

function mask(path: string): void {
  mkdirSync(dirname(path), { recursive: true });
  rmSync(path, { force: true });
  symlinkSync("/dev/null", path);
}

/** A file system with holes where nothing is. The kernel need not write its tables: they are zeros already. */
export async function makeFileSystem({ label, gibibytes }: Recipe, root: string, target: string): Promise<void> {
  const lazy = ["-E", "lazy_itable_init=1,lazy_journal_init=1"];
  await run("mkfs.ext4", ["-q", "-F", "-d", root, ...lazy, "-L", label, target, `${gibibytes}G`]);
}
