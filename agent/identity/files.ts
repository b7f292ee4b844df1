import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, rename, rm } from "node:fs/promises";
import { dirname, join } from "node:path";

/** What a node is known by, below its home. None of it but the certificate ever leaves the node. */
export interface IdentityFiles {
  readonly directory: string;
  /** The seed of its key on the bus. */
  readonly seed: string;
  readonly tlsKey: string;
  readonly certificate: string;
  /** Cores only: what makes them one. */
  readonly authority: string;
}

export function identityFiles(home: string): IdentityFiles {
  const directory = join(home, "identity");
  const at = (name: string) => join(directory, name);
  return {
    directory,
    seed: at("node.nk"),
    tlsKey: at("tls.key"),
    certificate: at("tls.crt"),
    authority: at("authority.json"),
  };
}

/** The text of a file; undefined when there is none. */
export async function textOf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw error;
  }
}

/**
 * What the file holds, or what `make` makes when there is none yet: it appears with its whole content, and of several
 * makers the first one wins. Once this resolves, a power cut does not undo it: a core may have seen it by then.
 */
export async function keep(file: string, make: () => string): Promise<string> {
  const there = await textOf(file);
  if (there !== undefined) return there;
  const draft = await written(file, make());
  try {
    await link(draft, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await rm(draft, { force: true });
  }
  await onDisk(dirname(file));
  return await readFile(file, "utf8");
}

/** Puts a text in place of what was there, in one moment. */
export async function replace(file: string, text: string): Promise<void> {
  await rename(await written(file, text), file);
  await onDisk(dirname(file));
}

async function written(file: string, text: string): Promise<string> {
  await mkdir(dirname(file), { recursive: true, mode: 0o700 });
  const draft = `${file}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const handle = await open(draft, "wx", 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  return draft;
}

/** A name is on the disk when its directory is. */
async function onDisk(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
