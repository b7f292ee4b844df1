import { wrongUsage } from "./fault.ts";
import type { Domain } from "./resources.ts";

/** What a person typed as the API's address → its base URL. Pure. */
export function targetUrl(typed: string): string {
  const whole = /^[a-z][a-z0-9+.-]*:\/\//i.test(typed) ? typed : `${isHere(typed) ? "http" : "https"}://${typed}`;
  const url = URL.canParse(whole) ? new URL(whole) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || !url.hostname) {
    throw wrongUsage(`"${typed}" is not the address of an API`, "e.g. tutti target http://api.tutti.localhost:8080");
  }
  if (url.username || url.password) {
    throw wrongUsage("the target may not carry a user or password", "tutti login asks for them");
  }
  return url.origin;
}

/** Clusters on this machine speak plain HTTP; for all others it would show passwords to the network. */
function isHere(typed: string): boolean {
  return /^([^/:]+\.)?localhost([:/]|$)|^127\./i.test(typed);
}

export interface Address {
  host: string;
  domain: Domain;
  path: string;
}

/** `http://shop.example.com:8080/cart` and the like, split at the longest known domain. Pure. */
export function splitAddress(url: string, domains: readonly Domain[]): Address {
  const [, name = "", path = ""] = /^(?:[a-z]+:\/\/)?([^/:]+)(?::\d+)?(\/.*)?$/i.exec(url.trim()) ?? [];
  const lower = name.toLowerCase();
  const known = domains
    .filter((domain) => lower === domain.name.toLowerCase() || lower.endsWith(`.${domain.name.toLowerCase()}`))
    .sort((a, b) => b.name.length - a.name.length)[0];
  if (!name || !known) {
    const list = domains.map((domain) => domain.name).join(", ");
    throw wrongUsage(`"${url}" is in no domain of this cluster`, `known domains: ${list || "none"}`);
  }
  const host = lower.slice(0, -known.name.length - 1);
  if (!host) throw wrongUsage(`"${url}" is the domain itself`, `put a host in front: app.${known.name}`);
  return { host, domain: known, path: path.replace(/\/+$/, "") };
}

/** Letters that do not come apart into one of ours and an accent. */
const letters: Readonly<Record<string, string>> = {
  ß: "ss",
  æ: "ae",
  œ: "oe",
  ø: "o",
  đ: "d",
  ð: "d",
  ł: "l",
  þ: "th",
};

/**
 * An app name as a host name: what DNS allows, letters without their accents. "" when there are letters or digits in it
 * that we cannot write: half a name would be another name.
 */
export function hostOf(name: string): string {
  const plain = name
    .toLowerCase()
    .normalize("NFKD")
    .replace(/\p{M}+/gu, "")
    .replace(/[^\0-\x7f]/gu, (letter) => letters[letter] ?? letter);
  if (/(?![\0-\x7f])[\p{L}\p{N}]/u.test(plain)) return "";
  return plain
    .replace(/[^a-z0-9-]+/g, "-")
    .slice(0, 63)
    .replace(/^-+|-+$/g, "");
}

/** The URL at which the router serves a route: it listens where the API was reached. */
export function publicUrl(route: string, target: string): string {
  const { protocol, port } = new URL(target);
  const [host = "", ...path] = route.split("/");
  return `${protocol}//${host}${port ? `:${port}` : ""}/${path.join("/")}`;
}
