import { chmodSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { exec, which } from "./exec.mjs";
import { SetupError } from "./steps.mjs";

/**
 * Unpacks the distribution's HAProxy beside `target` and makes `target` a script that runs it.
 * Unpacked rather than installed: that needs no root, changes nothing on the machine and starts no service.
 */
export async function fetchHaproxy(pin, target) {
  const other = `install HAProxy >= ${pin.atLeast} with your package manager and run this again`;
  if (!which("apt-get") || !which("dpkg"))
    throw new SetupError(
      `haproxy >= ${pin.atLeast} is not on PATH, and this is no Debian or Ubuntu to fetch it from`,
      other,
    );
  const root = join(dirname(target), "..", "haproxy");
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  try {
    const apt = await packageLists(pin, root);
    const plan = await exec("apt-get", [...apt, "install", "-s", "--no-install-recommends", pin.debian]);
    const packages = [...plan.matchAll(/^Inst (\S+)/gm)].map((match) => match[1]);
    await exec("apt-get", [...apt, "download", "-q", ...(packages.length ? packages : [pin.debian])], { cwd: root });
    for (const deb of readdirSync(root).filter((name) => name.endsWith(".deb"))) {
      await exec("dpkg", ["-x", join(root, deb), root]);
      rmSync(join(root, deb));
    }
  } catch (cause) {
    throw new SetupError(`haproxy could not be fetched: ${cause.message}`, other, cause);
  }
  writeFileSync(target, script);
  chmodSync(target, 0o755);
  return "haproxy from the distribution's package, unpacked";
}

const script = `#!/bin/sh
# HAProxy with the libraries that were unpacked beside it.
root="$(dirname "$(readlink -f "$0")")/../haproxy"
export LD_LIBRARY_PATH="$(echo "$root"/usr/lib/*-linux-gnu)"
exec "$root/usr/sbin/haproxy" "$@"
`;

/** apt's options: the machine's own package lists when they know HAProxy, else lists of our own, fetched now. */
async function packageLists(pin, root) {
  const known = await exec("apt-cache", ["policy", pin.debian]).catch(() => "");
  if (/Candidate: \d/.test(known)) return [];
  const state = join(root, "apt");
  mkdirSync(join(state, "lists", "partial"), { recursive: true });
  mkdirSync(join(state, "cache", "archives", "partial"), { recursive: true });
  const options = [`Dir::State::lists=${state}/lists`, `Dir::Cache=${state}/cache`, "Debug::NoLocking=1"];
  const apt = options.flatMap((option) => ["-o", option]);
  await exec("apt-get", [...apt, "update", "-q"]);
  return apt;
}
