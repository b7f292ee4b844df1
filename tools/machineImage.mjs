import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fetchFromDebian, packageLists, unpack } from "./debian.mjs";
import { exec, which } from "./exec.mjs";
import { SetupError } from "./steps.mjs";

const keyring = "usr/share/keyrings/debian-archive-keyring.gpg";

/** systemd-nspawn. The library that it shares with systemd is that of its own package, not of the machine's systemd. */
export async function fetchNspawn(pin, target) {
  const what = await fetchFromDebian(pin, target);
  const libraries = '$(echo "$root"/usr/lib/*-linux-gnu):$(echo "$root"/usr/lib/*-linux-gnu/systemd)';
  writeScript(target, pin, `export LD_LIBRARY_PATH="${libraries}"`);
  return what;
}

/** mmdebstrap, which calls a program that lies beside it, and Debian's keys where the machine has none. */
export async function fetchMmdebstrap(pin, target) {
  const what = await fetchFromDebian(pin, target);
  writeScript(target, pin, 'export PATH="$root/usr/bin:$PATH"');
  if (!existsSync(join("/", keyring))) await fetchKeyring(join(dirname(target), "..", "debian-archive-keyring"));
  return what;
}

async function fetchKeyring(root) {
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  try {
    const apt = await packageLists("debian-archive-keyring", join(root, "apt"));
    await unpack(["debian-archive-keyring"], apt, root);
    rmSync(join(root, "apt"), { recursive: true, force: true });
  } catch (cause) {
    rmSync(root, { recursive: true, force: true });
    throw new SetupError("Debian's keys could not be fetched", "install the package debian-archive-keyring", cause);
  }
}

function writeScript(target, { debian, program }, line) {
  const text = `#!/bin/sh
# ${debian} with what was unpacked beside it.
root="$(dirname "$(readlink -f "$0")")/../${debian}"
${line}
exec "$root${program}" "$@"
`;
  writeFileSync(target, text);
  chmodSync(target, 0o755);
}

/**
 * The steps of set-up for machines that boot here: their programs, then their image. `bin`: where programs go;
 * `project`: the project's folder, which has Node 24 by now.
 */
export function machineSteps({ bin, pins, project }) {
  const programs = { "systemd-nspawn": fetchNspawn, nft: fetchFromDebian, mmdebstrap: fetchMmdebstrap };
  const steps = Object.entries(programs).map(([name, fetch]) => ({
    name,
    done: () => (existsSync(join(bin, name)) && "is there") || (which(name) && "the machine's own"),
    async act() {
      mkdirSync(bin, { recursive: true });
      return await fetch(pins[name], join(bin, name));
    },
  }));
  return [...steps, image(project)];
}

function image(project) {
  const node = join(project, "node_modules/.bin/node");
  const script = join(project, "rehearsal/image/writeImage.ts");
  return {
    name: "machine image",
    async done() {
      if (process.getuid?.() !== 0) return "left out: it takes root, as machines do";
      return (await exec(node, [script, "--there"]).catch(() => "")).trim();
    },
    async act() {
      const said = await exec(node, [script]).catch((cause) => {
        const [, why, hint = "run it again"] = /^[^:]*: ([\s\S]*?)(?:\nhint: (.*))?$/.exec(cause.message) ?? [];
        throw new SetupError(why ?? cause.message, hint, cause);
      });
      return said.trim().split("\n").at(-1);
    },
  };
}
