import { existsSync } from "node:fs";
import { join } from "node:path";
import { attempt, toolsBin } from "../room/programs.ts";

/** Where packages come from, and how they are fetched. */
export interface Mirrors {
  /** Lines of sources.list. */
  readonly sources: readonly string[];
  /** Lines of apt.conf: this computer's way through proxies, and what it makes of clocks. */
  readonly options: readonly string[];
}

/** The mirrors that this computer uses itself, where it is a Debian; else Debian's own. */
export async function mirrors(suite: string): Promise<Mirrors> {
  const format = "$(ORIGIN) $(REPO_URI) $(CODENAME)";
  const targets = await attempt("apt-get", ["indextargets", "--format", format, "Created-By: Packages"]);
  const config = await attempt("apt-config", ["dump", "--format", "%F %v%n", "Acquire"]);
  return { sources: sourcesFrom(targets.out, suite, keyring()), options: optionsFrom(config.out) };
}

const keys = "/usr/share/keyrings/debian-archive-keyring.gpg";

/** Debian's keys: this computer's, or what set-up unpacked where it is none. */
function keyring(): string | undefined {
  return [keys, join(toolsBin, "../debian-archive-keyring", keys)].find((each) => existsSync(each));
}

/** Lines `origin address codename` → lines of sources.list. */
export function sourcesFrom(targets: string, suite: string, keyring?: string): string[] {
  const rows = targets.split("\n").map((line) => line.split(" "));
  const debian = rows.filter(([origin]) => origin === "Debian");
  const address = (security: boolean) =>
    debian.find(([, , codename = ""]) => codename.includes("security") === security)?.[1];
  const main = address(false) ?? "http://deb.debian.org/debian";
  const security = address(true) ?? "http://deb.debian.org/debian-security";
  const signed = keyring ? `[signed-by="${keyring}"] ` : "";
  return [
    `deb ${signed}${main} ${suite} main`,
    `deb ${signed}${main} ${suite}-updates main`,
    `deb ${signed}${security} ${suite}-security main`,
  ];
}

const kept = /^Acquire::(https?::|Check-Valid-Until$|Check-Date$)/i;

/** Lines `name value` → what of it has to do with reaching a mirror. */
export function optionsFrom(config: string): string[] {
  const rows = config.split("\n").map((line) => /^(\S+) (.+)$/.exec(line.trim()));
  const named = rows.flatMap((row) => (row?.[1] && row[2] && kept.test(row[1]) ? [`${row[1]} "${row[2]}";`] : []));
  return ['Acquire::Retries "3";', 'APT::Install-Recommends "false";', ...named];
}
