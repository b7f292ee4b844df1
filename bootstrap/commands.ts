import { readFileSync } from "node:fs";

const script = (name: string) => readFileSync(new URL(name, import.meta.url), "utf8");
const watchScript = script("watch.sh");
const settleScript = script("settle.sh");

/** A step on a machine, as data: what is run there, and what it reads. Secrets are in `stdin` only. */
export interface Command {
  readonly name: "watch" | "settle";
  readonly command: string;
  readonly stdin?: string | undefined;
}

export interface WatchOrder {
  /** Seconds after which the machine gives up by itself, also when nobody listens any more. */
  readonly within: number;
  /** True: tells once what there is. */
  readonly once?: boolean | undefined;
}

/** Tells what there is, and again whenever it has changed, until the node is ready or cannot become so. */
export function watch({ within, once = false }: WatchOrder): Command {
  return { name: "watch", command: asRoot(watchScript, [String(Math.ceil(within)), once ? "once" : ""]) };
}

export interface SettleOrder {
  /** Text of `authority.json`; never overwrites one. */
  readonly authority?: string | undefined;
  /** Directory for it: the node's home. */
  readonly home: string;
  /** Text of a new `node.json`. */
  readonly node?: string | undefined;
  /** Users of the machine who get a new password. */
  readonly passwords?: readonly { readonly user: string; readonly password: string }[];
}

/** Puts on the machine what it lacks; undefined when that is nothing. The agent is started anew when it has to read it. */
export function settle({ authority, home, node, passwords = [] }: SettleOrder): Command | undefined {
  const lines = passwords.map(({ user, password }) => `password ${encode(`${user}:${password}`)}\n`);
  if (node !== undefined) lines.push(`node ${encode(node)}\n`);
  if (authority !== undefined) lines.push(`authority ${encode(authority)}\n`);
  if (lines.length === 0) return undefined;
  return { name: "settle", command: asRoot(settleScript, [home]), stdin: lines.join("") };
}

const encode = (text: string) => Buffer.from(text).toString("base64");

/**
 * For any login shell: a POSIX shell runs the script, as root. Below a directory that only stands for / (`root`, or TUTTI_ROOT
 * on the machine) as whoever has logged in.
 */
export function asRoot(text: string, args: readonly string[], root = ""): string {
  const words = args.map(quote).join(" ");
  if (root) return `sh -c ${quote(text)} tutti ${words}`;
  const become = `[ -n "$TUTTI_ROOT" ] || [ "$(id -u)" = 0 ] && exec sh -c "$@"; exec sudo -n -- sh -c "$@"`;
  return `sh -c ${quote(become)} tutti ${quote(text)} tutti ${words}`;
}

const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
