import { spawn } from "node:child_process";
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { exec } from "./exec.mjs";
import { SetupError } from "./steps.mjs";

/** Packs a directory so that only names, modes and contents count: no times, no owners, no order of the disk's. */
export async function packDirectory(directory, target) {
  const tar = `${target}.tar`;
  const plain = ["--sort=name", "--mtime=@0", "--owner=0", "--group=0", "--numeric-owner", "--format=ustar"];
  await exec("tar", [...plain, "--create", "--file", tar, "--directory", directory, "."]).catch((cause) => {
    throw new SetupError(`the bundle cannot be packed: ${cause.message}`, "GNU tar has to come first on PATH", cause);
  });
  await gzip(tar, target);
}

/** `--no-name`: neither the time nor the name of the file goes into the header. */
async function gzip(from, to) {
  const child = spawn("gzip", ["--no-name", "--stdout", "-6"], { stdio: ["pipe", "pipe", "inherit"] });
  const ended = new Promise((done, failed) => {
    child.once("error", failed);
    child.once("close", (code) => (code === 0 ? done() : failed(new Error(`gzip ended with ${code}`))));
  });
  await Promise.all([
    pipeline(createReadStream(from), child.stdin),
    pipeline(child.stdout, createWriteStream(to)),
    ended,
  ]);
}
