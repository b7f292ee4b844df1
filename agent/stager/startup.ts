import type { Plan } from "./framework.ts";

type Surroundings = Pick<Plan, "path" | "search" | "defaults">;

/**
 * The droplet's `startup`: `./startup [-p PORT] [COMMAND]`. COMMAND is shell text and defaults to the web process; both
 * find the same PATH and variables, so that every process type runs with what the build installed.
 */
export function startupScript(start: string | undefined, { path, search, defaults }: Surroundings): string {
  const lines = [
    "#!/bin/sh",
    "# ./startup [-p PORT] [COMMAND]: starts one process of this app, by default the web process.",
    'root=$(cd "$(dirname "$0")" && pwd) || exit 1',
    'if [ "$1" = -p ]; then PORT=$2; export PORT; shift 2; fi',
    ...path.map((dir) => `PATH="$root/${dir}:$PATH"; export PATH`),
    ...Object.entries(search).map(([name, dir]) => `${name}="$root/${dir}\${${name}:+:$${name}}"; export ${name}`),
    ...Object.entries(defaults).map(([name, value]) => `: "\${${name}=${value}}"; export ${name}`),
    'cd "$root/app" || exit 1',
    'if [ $# -gt 0 ]; then exec sh -c "$*"; fi',
    start === undefined ? noWeb : direct(start),
  ];
  return `${lines.join("\n")}\n`;
}

const noWeb =
  'echo "this app has no web process: give a command, or put a line web: COMMAND in the Procfile" >&2; exit 64';

// Without a shell in between, the app itself gets the signals.
function direct(command: string): string {
  const plain = /^[\w./-]+(?![\w./=-])[^;&|<>()`#\n]*$/.test(command);
  const builtin = /^(exec|cd|export|set|unset|eval|source|if|for|while|until|case|[.:!])(\s|$)/.test(command);
  return plain && !builtin ? `exec ${command}` : command;
}
