#!/usr/bin/env node
// Makes the agent bundle: one file that a machine fetches by its checksum and runs without anything else.
//   node tools/bundle.mjs [--out DIRECTORY] [--architecture x64|arm64]
// Prints {path, sha256, size, version, architecture} as JSON. The same inputs give the same bytes.
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { stageBundle } from "./bundleParts.mjs";
import { packDirectory } from "./bundleTar.mjs";
import { SetupError } from "./steps.mjs";

const project = dirname(dirname(fileURLToPath(import.meta.url)));

async function makeBundle(out, architecture) {
  const work = mkdtempSync(join(tmpdir(), "tutti-bundle-"));
  try {
    const { version } = await stageBundle(project, { tree: join(work, "tree"), architecture });
    const before = join(out, `.${digestOf(join(work, "tree"))}.json`);
    const made = existsSync(before) && JSON.parse(readFileSync(before, "utf8"));
    if (made && existsSync(made.path)) return touched(made);
    const packed = join(work, "bundle.tar.gz");
    await packDirectory(join(work, "tree"), packed);
    const sha256 = createHash("sha256").update(readFileSync(packed)).digest("hex");
    mkdirSync(out, { recursive: true });
    const path = join(out, `tutti-agent-${version}-${architecture}-${sha256.slice(0, 12)}.tar.gz`);
    moved(packed, path);
    const bundle = { path, sha256, size: statSync(path).size, version, architecture };
    writeFileSync(before, JSON.stringify(bundle));
    forgetOld(out, architecture);
    return bundle;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

/** Packing takes longer than all the rest: what was packed before is looked up by what is in it. */
function digestOf(tree) {
  const hash = createHash("sha256");
  for (const file of globSync("**", { cwd: tree }).sort()) {
    const { mode } = statSync(join(tree, file));
    hash.update(`${file} ${mode}\n`);
    if (statSync(join(tree, file)).isFile()) hash.update(readFileSync(join(tree, file)));
  }
  return hash.digest("hex").slice(0, 16);
}

/** Each change of a source makes another 50 MB: a few are kept, for those who go back. */
function forgetOld(out, architecture) {
  const files = globSync(`tutti-agent-*-${architecture}-*.tar.gz`, { cwd: out }).map((name) => join(out, name));
  const newestFirst = files.sort((one, other) => statSync(other).mtimeMs - statSync(one).mtimeMs);
  for (const file of newestFirst.slice(4)) rmSync(file);
}

/** The newest is what `tutti up` takes. */
function touched(bundle) {
  utimesSync(bundle.path, new Date(), new Date());
  return bundle;
}

/** Under its name at once or not at all, although the working directory may be on another disk. */
function moved(from, to) {
  copyFileSync(from, `${to}.new`);
  renameSync(`${to}.new`, to);
}

try {
  const options = { out: { type: "string" }, architecture: { type: "string" } };
  const { out = join(project, ".cache/bundle"), architecture = process.arch } = parseArgs({ options }).values;
  console.log(JSON.stringify(await makeBundle(resolve(out), architecture)));
} catch (error) {
  process.stderr.write(`bundle: ${error.message}\n${error.hint ? `hint: ${error.hint}\n` : ""}`);
  if (!(error instanceof SetupError)) throw error;
  process.exitCode = 1;
}
