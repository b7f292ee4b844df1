import type { Box, Launch } from "./driver.ts";

export interface CommandLine {
  command: string;
  args: string[];
}

/**
 * Sets what only a process can set for itself, then becomes the app: no shell stays behind. A limit above the agent's
 * own can't be had and is left as it is. The kernel shall end an app before it ends the agent.
 */
const prelude = `umask 077
ulimit -c 0
ulimit -n "$1" 2>/dev/null
ulimit -f "$2" 2>/dev/null
[ "$3" -eq 0 ] || ulimit -u "$3" 2>/dev/null || ulimit -p "$3" 2>/dev/null
{ echo 500 >/proc/self/oom_score_adj; } 2>/dev/null
cd "$4" || exit 126
shift 4
exec "$@"`;

/** Limits of an instance. `processes` 0: not limited. */
export interface Limits {
  fds: number;
  /** MiB that one file may have. */
  file: number;
  processes: number;
}

/** The command with its limits; `within` is the directory to start in, relative to the box. */
export function limited(limits: Limits, within: string, argv: readonly string[]): CommandLine {
  const numbers = [limits.fds, limits.file * 2048, limits.processes].map(String);
  return { command: "/bin/sh", args: ["-c", prelude, "instance", ...numbers, within, ...argv] };
}

/**
 * What runs in the box: always the droplet's own `startup`, because it knows the environment that was built (search
 * paths of packages and the like); a command of the start message is its argument and runs in `app/`. `setpriv` takes
 * from the app the right to become another user by setuid programs.
 */
export function startCommand(
  box: Box,
  launch: Launch,
  { processes, setpriv }: { processes: number; setpriv: string | undefined },
) {
  const limits = { fds: box.limits.fds, file: box.limits.disk, processes };
  const locked = setpriv ? [setpriv, "--no-new-privs", "--"] : [];
  const port = launch.port === undefined ? [] : ["-p", String(launch.port)];
  return limited(limits, ".", [...locked, "./startup", ...port, ...(launch.command ? [launch.command] : [])]);
}

/** tar refuses members that leave the directory, by `..` or through a link; it runs as the instance's user besides. */
export function unpackCommand(box: Box): CommandLine {
  const argv = ["tar", "--extract", "--gzip", "--file=-", "--no-same-owner", "--no-same-permissions"];
  return limited({ fds: 256, file: box.limits.disk, processes: 0 }, ".", argv);
}
