import { closeSync, existsSync, fsyncSync, mkdirSync, openSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Fault } from "../../agent/run/fault.ts";
import type { Log } from "../../agent/run/log.ts";
import { locked } from "./lock.ts";
import { mirrors } from "./mirrors.ts";
import { hashOf, type Recipe, recipe } from "./recipe.ts";
import { debianArguments, fillDebian, finish, makeFileSystem } from "./rootfs.ts";

export interface Image {
  /** A file with holes: an ext4 of 8 GiB, to be copied. */
  readonly path: string;
  readonly hash: string;
  /** Milliseconds; only when it was built just now. */
  readonly builtMs?: number;
}

export interface ImageOptions {
  readonly log: Log;
  readonly stop?: AbortSignal;
  /** Directory of all images. */
  readonly cache?: string;
  readonly recipe?: Recipe;
  /** Fills a directory with what the recipe says; tests don't fetch a Debian each time. */
  readonly fill?: (recipe: Recipe, root: string, stop?: AbortSignal) => Promise<void>;
}

/** The image of machines could not be built. */
export class ImageFailed extends Fault {
  override name = "ImageFailed";
}

const defaultCache = fileURLToPath(new URL("../../.cache/machine", import.meta.url));

/** The image that the recipe makes, if it has been built: nothing is waited for. */
export function cachedImage(cache: string = defaultCache, one: Recipe = recipe()): Image | undefined {
  const hash = hashOf(one);
  const path = join(cache, hash, "golden.ext4");
  return existsSync(path) ? { path, hash } : undefined;
}

/** The golden image, built if it is not there; needs root and a mirror of Debian then. Throws ImageFailed. */
export async function ensureImage(options: ImageOptions): Promise<Image> {
  const { cache = defaultCache, recipe: one = recipe(), stop } = options;
  const there = cachedImage(cache, one);
  if (there) return there;
  mkdirSync(cache, { recursive: true });
  return await locked(join(cache, "lock"), () => buildUnlessThere(cache, one, options), stop);
}

async function buildUnlessThere(cache: string, one: Recipe, options: ImageOptions): Promise<Image> {
  // Another process may have built it while we waited for it.
  const there = cachedImage(cache, one);
  if (there) return there;
  const hash = hashOf(one);
  // Under the lock, whatever else is there is an old image or one that was never finished.
  for (const name of readdirSync(cache)) if (name !== "lock") rmSync(join(cache, name), { recursive: true });
  const began = performance.now();
  options.log.info({ hash, packages: one.packages.length }, "the image of machines is built, once");
  const part = join(cache, `${hash}.part`);
  try {
    await build(part, one, options);
    renameSync(part, join(cache, hash));
  } catch (cause) {
    throw notBuilt(cause, options.stop);
  } finally {
    rmSync(part, { recursive: true, force: true });
  }
  const builtMs = Math.round(performance.now() - began);
  options.log.info({ hash, builtMs }, "the image of machines is there");
  return { path: join(cache, hash, "golden.ext4"), hash, builtMs };
}

async function build(part: string, one: Recipe, { stop, fill = fillWithDebian }: ImageOptions): Promise<void> {
  const root = join(part, "root");
  const target = join(part, "golden.ext4");
  mkdirSync(part, { mode: 0o700 });
  await fill(one, root, stop);
  finish(one, root);
  await makeFileSystem(one, root, target);
  rmSync(root, { recursive: true });
  // On the disk before it has its name: who finds the name finds all of it.
  const file = openSync(target, "r");
  fsyncSync(file);
  closeSync(file);
}

async function fillWithDebian(one: Recipe, root: string, stop?: AbortSignal): Promise<void> {
  await fillDebian(debianArguments(one, root, await mirrors(one.suite)), stop);
}

function notBuilt(cause: unknown, stop?: AbortSignal): ImageFailed {
  const why = cause instanceof Error ? cause.message : String(cause);
  if (stop?.aborted) return new ImageFailed("the image of machines was not finished", { code: "stopped", cause });
  const hint = "check the network and the package sources of this computer, and run it again";
  return new ImageFailed(`the image of machines could not be built: ${why}`, { code: "image_failed", hint, cause });
}
