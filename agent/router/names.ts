/** A route as registrars write it, `host[/path]`, taken apart. */
export interface RouteName {
  /** Canonical form: lower case, no query, no slash at the end. */
  name: string;
  /** `hello.example.test` or `*.example.test` */
  host: string;
  /** `""` or `/a/b` */
  path: string;
}

// Names travel into HAProxy's maps and over its command socket, where blanks, quotes, `;`, `\`, `#` and line ends have
// meanings of their own. What may pass is listed; everything else is refused, never escaped.
const label = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const host = new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`);
const path = /^(?:\/[a-z0-9._~!$&*+,=:@%-]+)*$/;
const dots = /\/\.{1,2}(?:\/|$)/;
const longest = 1024;

/** Takes a route apart; undefined when it is not one. */
export function routeName(uri: string): RouteName | undefined {
  if (uri.length > longest) return undefined;
  const text = (uri.split("?", 1)[0] ?? "").toLowerCase().replace(/\/+$/, "");
  const slash = text.indexOf("/");
  const parts = slash < 0 ? { host: text, path: "" } : { host: text.slice(0, slash), path: text.slice(slash) };
  if (parts.host.length > 253 || !host.test(parts.host)) return undefined;
  if (!path.test(parts.path) || dots.test(parts.path)) return undefined;
  return { name: text, ...parts };
}

const token = /^[A-Za-z0-9_.-]{1,128}$/;

/** True for a text that may become the name of a server, a value in a map or a header: ids of apps and instances. */
export function isToken(text: string): boolean {
  return token.test(text);
}
