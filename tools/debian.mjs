import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { exec, which } from "./exec.mjs";
import { SetupError } from "./steps.mjs";

/**
 * Unpacks a package of the distribution beside `target` and makes `target` a script that runs its program.
 * Unpacked rather than installed: that needs no root, changes nothing on the machine and starts no service.
 * `pin` is `{debian, program}`: the package's name and the program's path in it.
 */
export async function fetchFromDebian(pin, target) {
  const { debian, program } = pin;
  const other = `install ${debian} with your package manager and run this again`;
  if (!which("apt-get") || !which("dpkg"))
    throw new SetupError(`${debian} is not on PATH, and this is no Debian or Ubuntu to fetch it from`, other);
  const root = join(dirname(target), "..", debian);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  try {
    const apt = await packageLists(debian, root);
    const plan = await exec("apt-get", [...apt, "install", "-s", "--no-install-recommends", debian]);
    const packages = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]);
    await exec("apt-get", [...apt, "download", "-q", ...(packages.length ? packages : [debian])], { cwd: root });
    for (const deb of readdirSync(root).filter((name) => name.endsWith(".deb"))) {
      await exec("dpkg", ["-x", join(root, deb), root]);
      rmSync(join(root, deb));
    }
    rmSync(join(root, "apt"), { recursive: true, force: true });
  } catch (cause) {
    throw new SetupError(`${debian} could not be fetched: ${cause.message}`, other, cause);
  }
  writeFileSync(target, script(debian, program));
  chmodSync(target, 0o755);
  return `${debian} from the distribution's package, unpacked`;
}

const script = (debian, program) => `#!/bin/sh
# ${debian} with the libraries that were unpacked beside it.
root="$(dirname "$(readlink -f "$0")")/../${debian}"
export LD_LIBRARY_PATH="$(echo "$root"/usr/lib/*-linux-gnu)"
exec "$root${program}" "$@"
`;

/** apt's options: the machine's own package lists when they know the package, else lists of our own, fetched now. */
async function packageLists(debian, root) {
  const known = await exec("apt-cache", ["policy", debian]).catch(() => "");
  if (/Candidate: \d/.test(known)) return [];
  const state = join(root, "apt");
  mkdirSync(join(state, "lists", "partial"), { recursive: true });
  mkdirSync(join(state, "cache", "archives", "partial"), { recursive: true });
  // apt drops root for downloads; a directory of ours is closed to its user.
  const options = [
    `Dir::State::lists=${state}/lists`,
    `Dir::Cache=${state}/cache`,
    "Debug::NoLocking=1",
    "APT::Sandbox::User=root",
  ];
  const apt = options.flatMap((option) => ["-o", option]);
  await exec("apt-get", [...apt, "update", "-q"]);
  return apt;
}
