// Rules of .gitignore, .cfignore and .stackatoignore. Pure. https://git-scm.com/docs/gitignore

/** Whether a path (relative, with `/`) is left behind. A directory that is takes all below with it. */
export type Ignored = (path: string, directory: boolean) => boolean;

interface Rule {
  pattern: RegExp;
  negated: boolean;
  directoriesOnly: boolean;
}

/** Left behind whatever the ignore files say, as the clients of Cloud Foundry do. */
const always = [".git", ".svn", ".hg", "_darcs", ".cfignore", ".stackatoignore", ".gitignore", ".DS_Store", ".tutti"];
const alwaysRules = [...always, "/manifest.yml", "/stackato.yml"];

/** Later rules override earlier ones, within and across the texts. */
export function ignoring(...texts: readonly string[]): Ignored {
  const rules = [alwaysRules.join("\n"), ...texts].flatMap((text) => text.split(/\r?\n/)).flatMap(parse);
  return (path, directory) => {
    let ignored = false;
    for (const rule of rules) {
      if (rule.directoriesOnly && !directory) continue;
      if (rule.pattern.test(path)) ignored = !rule.negated;
    }
    return ignored;
  };
}

function parse(line: string): Rule[] {
  // Trailing blanks do not count unless escaped.
  let text = line.replace(/(?<!\\)\s+$/, "");
  if (!text || text.startsWith("#")) return [];
  const negated = text.startsWith("!");
  if (negated) text = text.slice(1);
  text = text.replace(/^\\([#!])/, "$1");
  const directoriesOnly = text.endsWith("/");
  text = text.replace(/\/+$/, "");
  if (!text) return [];
  // A slash in front or inside ties the pattern to the root; without one it matches at any depth.
  const anchored = text.includes("/");
  const body = translate(text.replace(/^\//, ""));
  return [{ negated, directoriesOnly, pattern: new RegExp(`^${anchored ? "" : "(?:.*/)?"}${body}$`) }];
}

/** A glob as the source of a regular expression. */
function translate(glob: string): string {
  let out = "";
  for (let i = 0; i < glob.length; i++) {
    const rest = glob.slice(i);
    const [token, source] = rule(rest, i === 0);
    out += source;
    i += token.length - 1;
  }
  return out;
}

function rule(rest: string, first: boolean): [token: string, source: string] {
  if (first && rest.startsWith("**/")) return ["**/", "(?:.*/)?"];
  if (rest.startsWith("/**/")) return ["/**/", "/(?:.*/)?"];
  if (rest === "/**") return ["/**", "/.+"];
  if (rest.startsWith("**")) return ["**", ".*"];
  if (rest.startsWith("*")) return ["*", "[^/]*"];
  if (rest.startsWith("?")) return ["?", "[^/]"];
  const set = /^\[([!^]?)((?:\\.|[^\]\\/]|(?<=\[[!^]?)\])+)\]/.exec(rest);
  if (set) return [set[0], `[${set[1] ? "^" : ""}${(set[2] ?? "").replace(/[[\]^]/g, "\\$&")}]`];
  if (rest.startsWith("\\") && rest.length > 1) return [rest.slice(0, 2), quoted(rest[1] ?? "")];
  return [rest[0] ?? "", quoted(rest[0] ?? "")];
}

function quoted(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&");
}
