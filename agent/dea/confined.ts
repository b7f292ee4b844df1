import { constants, type FileHandle, open, readlink } from "node:fs/promises";
import { sep } from "node:path";
import { Fault } from "../run/fault.ts";

/** A path that leads out of its directory, or to something that is neither file nor directory. */
export class NotAccessible extends Fault {
  override name = "NotAccessible";
  constructor(path: string) {
    super(`${path} is not inside its instance`, { code: "not_accessible" });
  }
}

/**
 * Opens a path below a directory that an app may change at any time. Links are followed, then the kernel is asked what
 * was opened: a check before the opening could be outrun. Throws NotAccessible, or ENOENT and its like.
 */
export async function openWithin(directory: string, path: string, flags = constants.O_RDONLY): Promise<FileHandle> {
  // Without O_NONBLOCK a named pipe would hold the call for ever.
  const handle = await open(path, flags | constants.O_NONBLOCK);
  try {
    const real = await readlink(`/proc/self/fd/${handle.fd}`);
    const stat = await handle.stat();
    if (real !== directory && !real.startsWith(directory + sep)) throw new NotAccessible(path);
    if (!stat.isFile() && !stat.isDirectory()) throw new NotAccessible(path);
    return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** Opens exactly this file: not through a link, not even one inside the directory. */
export async function openExactly(path: string, flags: number): Promise<FileHandle> {
  const handle = await openWithin(path, path, flags | constants.O_NOFOLLOW);
  if ((await handle.stat()).isFile()) return handle;
  await handle.close();
  throw new NotAccessible(path);
}
