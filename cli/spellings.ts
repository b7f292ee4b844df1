// The words of stackato (app client) and kato (admin tool) of 2012 to 2015, and of cf, read as ours.

export interface Spelling {
  argv: string[];
  /** Said once on stderr, so that fingers can learn. */
  hint?: string;
}

/** Old word → ours. `$1` … are the old word's first positional arguments, `$*` all that is left. */
const rewritten: Record<string, string> = {
  instances: "app $*",
  stats: "app $*",
  health: "app $*",
  crashlogs: "logs $* --recent",
  tail: "logs $*",
  mem: "scale $1 --mem $2",
  disk: "scale $1 --disk $2",
  "env-add": "set-env $*",
  "env-del": "unset-env $*",
  "map-route": "map $*",
  "unmap-route": "unmap $*",
  "map-urls": "map $*",
  api: "target $*",
  list: "apps $*",
  ls: "status $*",
  nodes: "node list $*",
  roles: "role list $*",
  ps: "process list $*",
  user: "info $*",
  "node status": "node list $*",
  "node ls": "node list $*",
  "role ls": "role list $*",
  "process ls": "process list $*",
  "process status": "process list $*",
};

/** Words that mean the same as ours when their first argument is no app but nothing at all. */
const alone: Record<string, string> = { health: "status", stats: "status", mem: "apps", instances: "apps" };

/** Options that may stand before the command with a word of their own. */
const takesValue = /^(-o|-s|--org|--space|--group)$/;

/** Reads the old words in a command line; undefined when there are none. Pure. */
export function respelled(argv: readonly string[]): Spelling | undefined {
  const at = argv.findIndex((word, place) => !word.startsWith("-") && !takesValue.test(argv[place - 1] ?? ""));
  const first = argv[at];
  if (first === undefined) return undefined;
  const second = argv[at + 1];
  const pair = `${first} ${second ?? ""}`;
  const key = Object.hasOwn(rewritten, pair) ? pair : first;
  if (!Object.hasOwn(rewritten, key)) return undefined;
  const rest = argv.slice(at + key.split(" ").length);
  const words = rest.filter((word) => !word.startsWith("-"));
  const form = words.length === 0 && alone[key] ? `${alone[key]} $*` : (rewritten[key] ?? "");
  const filled = fill(form, rest);
  return {
    argv: [...argv.slice(0, at), ...filled],
    hint: `"${key}" is "${form.replace(/ ?\$\S+/g, (hole) => (hole === " $*" ? "" : " …"))}" here`,
  };
}

function fill(form: string, rest: readonly string[]): string[] {
  const left = [...rest];
  const filled: string[] = [];
  for (const word of form.split(" ")) {
    if (word === "$*") filled.push(...left.splice(0));
    else if (!word.startsWith("$")) filled.push(word);
    else {
      const at = left.findIndex((each) => !each.startsWith("-"));
      if (at >= 0) filled.push(...left.splice(at, 1));
      // `mem APP` without a size asks; so does `scale APP` without the option.
      else if (filled.at(-1)?.startsWith("--")) filled.pop();
    }
  }
  return [...filled, ...left];
}
