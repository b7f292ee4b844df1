import { chmodSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { exec, which } from "./exec.mjs";
import { SetupError } from "./steps.mjs";

const requirements = fileURLToPath(new URL("ansible.txt", import.meta.url));

/**
 * Puts ansible-core, which the benchmark of first contact is measured against, into a virtual environment beside `target`,
 * and makes `target` a script that is its ansible-playbook. Versions are pinned in ansible.txt.
 */
export async function fetchAnsible(pin, target) {
  const home = join(dirname(target), "..", "ansible");
  const hint = "install python3 with venv and pip (Debian: python3-venv), check the network, and run this again";
  if (!which("python3")) throw new SetupError("there is no python3 for ansible-core", hint);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  try {
    await exec("python3", ["-m", "venv", home]);
    const pip = ["-m", "pip", "install", "-q", "--no-input", "--disable-pip-version-check", "--only-binary", ":all:"];
    await exec(join(home, "bin/python"), [...pip, "-r", requirements]);
  } catch (cause) {
    rmSync(home, { recursive: true, force: true });
    throw new SetupError(`ansible-core ${pin.fetch} could not be installed: ${cause.message}`, hint, cause);
  }
  const playbook = '"$(dirname "$(readlink -f "$0")")/../ansible/bin/ansible-playbook"';
  writeFileSync(target, `#!/bin/sh\n# ansible-core in a virtual environment.\nexec ${playbook} "$@"\n`);
  chmodSync(target, 0o755);
  return `ansible-core ${pin.fetch} in a virtual environment`;
}

/** The version of ansible-core behind `target`, or undefined. */
export async function ansibleVersion(target) {
  if (!existsSync(target)) return undefined;
  const said = await exec(target, ["--version"]).catch(() => "");
  return /core (\d+\.\d+\.\d+)/.exec(said)?.[1];
}
