export interface Entry {
  name: string;
  directory: boolean;
  /** Bytes. */
  size: number;
}

const units: [string, number][] = [
  ["T", 2 ** 40],
  ["G", 2 ** 30],
  ["M", 2 ** 20],
  ["K", 2 ** 10],
];

/** `512B`, `1.2K`, `3.4M` … */
export function sizeText(bytes: number): string {
  const [unit, divisor] = units.find(([, least]) => bytes >= least) ?? ["B", 1];
  return unit === "B" ? `${bytes}B` : `${(bytes / divisor).toFixed(1)}${unit}`;
}

/** A directory as the DEA of v1 prints it: names in 35 columns, sizes right-aligned in 10, no newline at the end. */
export function listing(entries: readonly Entry[]): string {
  const sorted = entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  return sorted
    .map(({ name, directory, size }) => {
      const shown = directory ? `${name}/` : name;
      return `${shown.padEnd(35)} ${(directory ? "-" : sizeText(size)).padStart(10)}`;
    })
    .join("\n");
}

/** What of an instance's own directory is shown; the rest is the DEA's. */
export const shownAtRoot: readonly string[] = ["app", "logs", "tomcat"];

/** A request path → directory name and path below it; a reason when it may not be looked at. */
export function parsePath(url: string): { staged: string; path: string } | "missing" | "forbidden" {
  const plain = decode(url.split("?")[0] ?? "");
  const inside = plain && /^\/droplets\/+([^/]+)\/*(.*)$/s.exec(plain);
  if (!inside) return "missing";
  const [, staged = "", rest = ""] = inside;
  const parts = rest.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..") || rest.includes("\0") || staged === "..") return "forbidden";
  if (["startup", "stop"].includes(parts.at(-1) ?? "")) return "forbidden";
  return { staged, path: parts.join("/") };
}

function decode(path: string): string | undefined {
  try {
    return decodeURIComponent(path);
  } catch {
    return undefined;
  }
}

/** A Range header for a file of `size` bytes: first and last byte, undefined for the whole, "bad" for none of it. */
export function parseRange(header: string | undefined, size: number): { from: number; to: number } | "bad" | undefined {
  const found = /^bytes=(\d*)-(\d*)$/.exec(header?.trim() ?? "");
  if (!found || (!found[1] && !found[2])) return undefined;
  const [, first, last] = found;
  if (!first)
    return Number(last) === 0 || size === 0 ? "bad" : { from: Math.max(0, size - Number(last)), to: size - 1 };
  const to = last ? Math.min(Number(last), size - 1) : size - 1;
  return Number(first) > to ? "bad" : { from: Number(first), to };
}
