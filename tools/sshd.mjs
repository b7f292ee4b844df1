import { existsSync, symlinkSync } from "node:fs";
import { fetchFromDebian } from "./debian.mjs";
import { exec, which } from "./exec.mjs";

/**
 * sshd and the programs around it (ssh-keygen, ssh-agent), for tests and benchmarks: the machine's own, else the
 * distribution's package, unpacked beside `target`. No service is installed or started. `pin` as in debian.mjs.
 */
export async function fetchSshd(pin, target) {
  // Not on the PATH of everybody, but in its place.
  const own = which("sshd") ?? [pin.program].find((path) => existsSync(path));
  const version = own && (await sshdVersion(own));
  if (!version || !which("ssh-keygen") || !which("ssh-agent") || older(version, pin.atLeast))
    return await fetchFromDebian(pin, target);
  symlinkSync(own, target);
  return `${version}, the machine's own`;
}

/** The version of an sshd, `9.2`, or undefined when it does not run. It may tell it on the way to refusing the option. */
export async function sshdVersion(path) {
  if (!existsSync(path)) return undefined;
  const said = await exec(path, ["-V"]).catch((error) => error.message);
  return /OpenSSH_(\d+\.\d+)/.exec(said)?.[1];
}

function older(version, least) {
  const [one = 0, two = 0] = version.split(".").map(Number);
  const [major = 0, minor = 0] = least.split(".").map(Number);
  return one < major || (one === major && two < minor);
}
