import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { exec, reason, which } from "./exec.mjs";
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
    const apt = await packageLists(debian, join(root, "apt"));
    const plan = await exec("apt-get", [...apt, "install", "-s", "--no-install-recommends", debian]);
    const packages = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]);
    await unpack(packages.length ? packages : [debian], apt, root);
    rmSync(join(root, "apt"), { recursive: true, force: true });
  } catch (cause) {
    rmSync(root, { recursive: true, force: true });
    const [program] = cause.message.split(":");
    const why = reason(cause);
    throw new SetupError(
      `${debian} could not be fetched: ${why.startsWith(program) ? why : `${program}: ${why}`}`,
      `check the network, or ${other}`,
      cause,
    );
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

/** Downloads packages and unpacks them into a directory. `apt`: its options from `packageLists`. */
export async function unpack(packages, apt, root) {
  await exec("apt-get", [...apt, "download", "-q", ...packages], { cwd: root });
  for (const deb of readdirSync(root).filter((name) => name.endsWith(".deb"))) {
    await exec("dpkg", ["-x", join(root, deb), root]);
    rmSync(join(root, deb));
  }
}

/**
 * apt's options: none when the machine's own package lists can fetch the package, else those of lists of our own in
 * `state`, fetched now.
 */
export async function packageLists(debian, state) {
  // The policy alone would know a package that is installed although no list offers it any more.
  const known = await exec("apt-get", ["download", "--print-uris", "-q", debian]).catch(() => "");
  if (/^'\S+'/m.test(known)) return [];
  mkdirSync(join(state, "lists", "partial"), { recursive: true });
  mkdirSync(join(state, "cache", "archives", "partial"), { recursive: true });
  // apt drops root for downloads; a directory of ours is closed to its user.
  const options = [
    `Dir::State::lists=${state}/lists`,
    `Dir::Cache=${state}/cache`,
    "Debug::NoLocking=1",
    "APT::Sandbox::User=root",
    // Else lists that could not be fetched are a warning, and the package seems not to exist.
    "APT::Update::Error-Mode=any",
  ];
  const apt = options.flatMap((option) => ["-o", option]);
  await exec("apt-get", [...apt, "update", "-q"]);
  return apt;
}
