#!/usr/bin/env node
// Makes the agent bundle: one file that a machine fetches by its checksum and runs without anything else.
//   node tools/bundle.mjs [--out DIRECTORY]
// Prints {path, sha256, size, version, architecture} as JSON. The same inputs give the same bytes.
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stageBundle } from "./bundleParts.mjs";
import { packDirectory } from "./bundleTar.mjs";
import { SetupError } from "./steps.mjs";

const project = dirname(dirname(fileURLToPath(import.meta.url)));

/** Makes the bundle for this machine's architecture in the directory `out`. */
export async function makeBundle(out) {
  const work = mkdtempSync(join(tmpdir(), "tutti-bundle-"));
  try {
    const { version, architecture } = await stageBundle(project, join(work, "tree"));
    const packed = join(work, "bundle.tar.gz");
    await packDirectory(join(work, "tree"), packed);
    const sha256 = createHash("sha256").update(readFileSync(packed)).digest("hex");
    mkdirSync(out, { recursive: true });
    const path = join(out, `tutti-agent-${version}-${architecture}-${sha256.slice(0, 12)}.tar.gz`);
    await moved(packed, path);
    return { path, sha256, size: statSync(path).size, version, architecture };
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Under its name at once or not at all, although the working directory may be on another disk. */
async function moved(from, to) {
  const { copyFile } = await import("node:fs/promises");
  await copyFile(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

if (process.argv[1] && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) {
  try {
    const { out } = parseArgs({ options: { out: { type: "string" } } }).values;
    console.log(JSON.stringify(await makeBundle(resolve(out ?? join(project, ".cache/bundle")))));
  } catch (error) {
    process.stderr.write(`bundle: ${error.message}\n${error.hint ? `hint: ${error.hint}\n` : ""}`);
    if (!(error instanceof SetupError)) throw error;
    process.exitCode = 1;
  }
}
