import { chmodSync, writeFileSync } from "node:fs";
import { fetchFromDebian } from "./debian.mjs";

/**
 * cloud-init, to check user data by its own rules: the distribution's package with the Python modules it needs,
 * unpacked, run by the distribution's own Python. `pin` as in debian.mjs.
 */
export async function fetchCloudInit(pin, target) {
  const what = await fetchFromDebian(pin, target);
  writeFileSync(target, script(pin.debian, pin.program));
  chmodSync(target, 0o755);
  return what;
}

// Its files name Debian's Python, as compiled modules fit no other; without one on the machine, it was unpacked too.
const script = (debian, program) => `#!/bin/sh
# ${debian} with the libraries that were unpacked beside it.
root="$(dirname "$(readlink -f "$0")")/../${debian}"
export PYTHONPATH="$root/usr/lib/python3/dist-packages" PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3
if [ -x "$root/usr/bin/python3" ]; then
  python="$root/usr/bin/python3"
  export LD_LIBRARY_PATH="$(echo "$root"/usr/lib/*-linux-gnu)"
fi
exec "$python" "$root${program}" "$@"
`;
