import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { exec, which } from "./exec.mjs";
import { SetupError } from "./steps.mjs";

const requirements = fileURLToPath(new URL("moto.txt", import.meta.url));

/**
 * Puts moto, the EC2 API of the offline ground, into a virtual environment beside `target`, and makes `target` a script
 * that is the environment's Python: `target -c …`. Versions of moto and all it needs are pinned in moto.txt.
 */
export async function fetchMoto(pin, target) {
  const home = join(dirname(target), "..", "moto");
  const hint = "install python3 with venv and pip (Debian: python3-venv), check the network, and run this again";
  if (!which("python3")) throw new SetupError("there is no python3 for moto, the offline EC2 API", hint);
  rmSync(home, { recursive: true, force: true });
  mkdirSync(home, { recursive: true });
  try {
    await exec("python3", ["-m", "venv", home]);
    const pip = ["-m", "pip", "install", "-q", "--no-input", "--disable-pip-version-check", "--only-binary", ":all:"];
    const args = ["-n", "19", join(home, "bin/python"), ...pip, "-r", requirements];
    await exec(which("nice") ? "nice" : args[2], which("nice") ? args : args.slice(3));
  } catch (cause) {
    rmSync(home, { recursive: true, force: true });
    throw new SetupError(`moto ${pin.fetch} could not be installed: ${cause.message}`, hint, cause);
  }
  const python = '"$(dirname "$(readlink -f "$0")")/../moto/bin/python"';
  writeFileSync(target, `#!/bin/sh\n# Python with moto.\nexec ${python} "$@"\n`, { mode: 0o755 });
  return `moto ${pin.fetch} in a virtual environment`;
}

/** The version of moto that `target` has, or undefined. */
export async function motoVersion(target) {
  if (!existsSync(target)) return undefined;
  const text = await exec(target, ["-c", "import importlib.metadata as m; print(m.version('moto'))"]).catch(() => "");
  return text.trim() || undefined;
}
