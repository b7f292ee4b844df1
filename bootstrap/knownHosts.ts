import { createHmac } from "node:crypto";
import { type HostKey, readHostKey, sameKey } from "./hostKey.ts";

/** What is known of a host. */
export interface Known {
  readonly keys: readonly HostKey[];
  /** Keys that must never be accepted again. */
  readonly revoked: readonly HostKey[];
}

/** The name under which OpenSSH keeps a host: the port only when it is not the usual one. */
export function nameOf(host: string, port: number): string {
  return port === 22 ? host.toLowerCase() : `[${host.toLowerCase()}]:${port}`;
}

/**
 * Looks names up in a file of OpenSSH's format: hashed names, `[host]:port`, patterns and `@revoked` count; authorities
 * (`@cert-authority`) do not, as no certificates are asked for. A line that cannot be read is passed over.
 */
export function lookUp(text: string, names: readonly string[]): Known {
  const found: { revoked: boolean; key: HostKey }[] = [];
  for (const line of text.split(/\r?\n/)) {
    const [, mark, hosts = "", type = "", base64 = ""] =
      /^\s*(?:(@\S+)\s+)?([^\s#@]\S*)\s+(\S+)\s+(\S+)/.exec(line) ?? [];
    if (mark !== undefined && mark !== "@revoked") continue;
    const key = readHostKey(type, base64);
    if (key && names.some((name) => matches(hosts, name))) found.push({ revoked: mark === "@revoked", key });
  }
  const revoked = found.filter((one) => one.revoked).map(({ key }) => key);
  const keys = found.map(({ key }) => key).filter((key) => !revoked.some((bad) => sameKey(bad, key)));
  return { keys: [...new Map(keys.map((key) => [key.blob, key])).values()], revoked };
}

function matches(hosts: string, name: string): boolean {
  if (hosts.startsWith("|")) return isHashOf(hosts, name);
  const patterns = hosts.toLowerCase().split(",");
  if (patterns.some((one) => one.startsWith("!") && fits(one.slice(1), name))) return false;
  return patterns.some((one) => !one.startsWith("!") && fits(one, name));
}

/** `|1|salt|hash`: the name's HMAC-SHA1, so that a stolen file does not tell which hosts there are. */
function isHashOf(hashed: string, name: string): boolean {
  const [, version, salt = "", hash] = hashed.split("|");
  return version === "1" && createHmac("sha1", Buffer.from(salt, "base64")).update(name).digest("base64") === hash;
}

function fits(pattern: string, name: string): boolean {
  if (!/[*?]/.test(pattern)) return pattern === name;
  const escaped = pattern.replace(/[.+^${}()|[\]\\]/g, "\\$&");
  return new RegExp(`^${escaped.replaceAll("*", ".*").replaceAll("?", ".")}$`).test(name);
}

/** Lines that OpenSSH reads too. */
export function knownLines(name: string, keys: readonly HostKey[]): string {
  return keys.map(({ type, blob }) => `${name} ${type} ${blob}\n`).join("");
}
