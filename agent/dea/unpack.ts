import { spawn } from "node:child_process";
import { chown, constants, type FileHandle, lstat, mkdir, open, rm } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../run/fault.ts";
import type { Box } from "./driver.ts";
import { unpackCommand } from "./launch.ts";
import { mark } from "./processes.ts";
import type { Owner } from "./users.ts";

/** A droplet that can't be unpacked: no gzipped tar, too big, or with members that want to leave. */
export class BadDroplet extends Fault {
  override name = "BadDroplet";
  constructor(reason: string) {
    super(`the droplet could not be unpacked: ${reason}`, { code: "bad_droplet", hint: "push the app again" });
  }
}

export interface Filling {
  owner: Owner | undefined;
  stop: AbortSignal;
}

const ownDirectories = ["app", "logs", "tmp"];

/** Makes the directory of an instance and unpacks its droplet there as its own user. */
export async function fillBox(box: Box, tarball: string, { owner, stop }: Filling): Promise<void> {
  await mkdir(box.directory, { mode: 0o700 });
  if (owner) await chown(box.directory, owner.uid, owner.gid);
  const file = await open(tarball, "r");
  try {
    await untar(box, file, { owner, stop });
  } finally {
    await file.close();
  }
  for (const name of ownDirectories) await realDirectory(join(box.directory, name), owner);
}

async function untar(box: Box, file: FileHandle, { owner, stop }: Filling): Promise<void> {
  const { command, args } = unpackCommand(box);
  const env = { PATH: "/usr/bin:/bin", LANG: "C", [mark]: box.directory };
  const tar = spawn(command, args, { cwd: box.directory, env, stdio: [file.fd, "ignore", "pipe"], ...owner });
  let said = "";
  tar.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(0, 2000);
  });
  const kill = () => tar.kill("SIGKILL");
  stop.addEventListener("abort", kill, { once: true });
  const end = await new Promise<string | undefined>((resolve) => {
    tar.once("error", (error) => resolve(error.message));
    tar.once("close", (code, signal) =>
      resolve(code === 0 ? undefined : firstLine(said) || `tar ended with ${signal ?? code}`),
    );
  });
  stop.removeEventListener("abort", kill);
  stop.throwIfAborted();
  if (end) throw new BadDroplet(end);
}

const firstLine = (text: string) => text.trim().split("\n")[0] ?? "";

/** Whatever the droplet put there, even a link to elsewhere: afterwards it is a directory. */
async function realDirectory(path: string, owner: Owner | undefined): Promise<void> {
  const there = await lstat(path).catch(() => undefined);
  if (there?.isDirectory()) return;
  if (there) await rm(path, { force: true });
  await mkdir(path, { mode: 0o700 });
  if (owner) await chown(path, owner.uid, owner.gid);
}

/** The files that take the output. They belong to the instance so that it may open /dev/stdout again. */
export async function logFiles(box: Box, owner: Owner | undefined) {
  const { O_RDWR, O_CREAT, O_EXCL, O_APPEND, O_NOFOLLOW } = constants;
  const make = async (name: string) => {
    const path = join(box.directory, "logs", name);
    await rm(path, { force: true, recursive: true });
    const file = await open(path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_NOFOLLOW, 0o600);
    if (owner) await file.chown(owner.uid, owner.gid);
    return file;
  };
  return { stdout: await make("stdout.log"), stderr: await make("stderr.log") };
}

/** Bytes on disk of a box; 0 when it is gone. */
export async function diskOf(box: Box): Promise<number> {
  const du = spawn("du", ["-skx", "--", box.directory], { stdio: ["ignore", "pipe", "ignore"] });
  let out = "";
  du.stdout.setEncoding("utf8").on("data", (text: string) => {
    out += text;
  });
  await new Promise((resolve) => du.once("error", resolve).once("close", resolve));
  return (Number.parseInt(out, 10) || 0) * 1024;
}
