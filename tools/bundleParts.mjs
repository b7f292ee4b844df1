import { chmodSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join, relative } from "node:path";
import { programsFor } from "./bundlePrograms.mjs";
import { SetupError } from "./steps.mjs";

/**
 * Puts into `tree` what a node of that architecture runs, and answers what it is: version, architecture, programs.
 *   agent/main.mjs   the agent in one file     bin/node, bin/nats-server
 *   package.json     its version               static/…  files that the agent reads beside itself
 *   bundle.json      what is in the bundle, and for whom
 */
export async function stageBundle(project, { tree, architecture }) {
  const { version } = JSON.parse(readFileSync(join(project, "package.json"), "utf8"));
  const contents = { version, architecture };
  for (const [name, { path, version: its }] of Object.entries(await programsFor(project, architecture))) {
    put(join(tree, "bin", name), readFileSync(path), 0o755);
    contents[name] = its;
  }
  const { code, inputs } = await bundledAgent(project);
  put(join(tree, "agent/main.mjs"), code);
  for (const [target, from] of neighbours(project, code, inputs)) put(join(tree, target), readFileSync(from));
  put(join(tree, "package.json"), `${JSON.stringify({ name: "tutti", version, type: "module" }, undefined, 2)}\n`);
  put(join(tree, "bundle.json"), `${JSON.stringify(contents, undefined, 2)}\n`);
  put(join(tree, "LICENSE"), readFileSync(join(project, "LICENSE")));
  return contents;
}

/** Modes are set, not inherited: the umask of whoever makes the bundle must not be in its bytes. */
function put(file, content, mode = 0o644) {
  mkdirSync(dirname(file), { recursive: true });
  chmodSync(dirname(file), 0o755);
  writeFileSync(file, content);
  chmodSync(file, mode);
}

async function bundledAgent(project) {
  const { outputFiles, metafile } = await bundler().build({
    absWorkingDir: project,
    entryPoints: ["agent/main.ts"],
    bundle: true,
    write: false,
    metafile: true,
    platform: "node",
    target: "node24",
    format: "esm",
    keepNames: true,
    logLevel: "silent",
    legalComments: "eof",
    // Libraries that are CommonJS ask for Node's own modules by `require`.
    banner: { js: 'import { createRequire } from "node:module";\nconst require = createRequire(import.meta.url);' },
  });
  return { code: outputFiles[0].text, inputs: Object.keys(metafile.inputs) };
}

function bundler() {
  try {
    return createRequire(import.meta.url)("esbuild");
  } catch (cause) {
    throw new SetupError("esbuild is not installed", "npm ci (or node bin/setup.mjs)", cause);
  }
}

/**
 * Files that sources name relative to themselves, with their places relative to the tree: the one file is
 * `agent/main.mjs`, so that `../x` is `x`. Two sources must not mean different files by the same name.
 */
function neighbours(project, code, inputs) {
  const found = new Map();
  for (const input of inputs.filter((file) => !file.startsWith("node_modules/"))) {
    const text = readFileSync(join(project, input), "utf8");
    for (const [, path] of text.matchAll(/new URL\("([^"]+)", import\.meta\.url\)/g)) {
      if (!code.includes(`new URL("${path}", import.meta.url)`)) continue;
      const target = relative("/", join("/agent", path));
      const from = join(project, dirname(input), path);
      if (found.has(target) && found.get(target) !== from)
        throw new Error(`${input} and another file both read ${path} beside themselves`);
      found.set(target, from);
    }
  }
  found.delete("package.json");
  return found;
}
