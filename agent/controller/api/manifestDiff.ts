import { mebibytes } from "./quantity.ts";

/** A step from what is to what the manifest wants, in JSON patch's form with the old value beside it. */
export interface Difference {
  op: "add" | "replace";
  path: string;
  was?: unknown;
  value: unknown;
}

type Plain = Readonly<Record<string, unknown>>;

const identifiers: Record<string, string> = { processes: "type", routes: "route" };
const sizes = ["memory", "disk_quota", "disk-quota"];

/** Keys of an application that make a difference here. */
const known = [
  "name",
  "buildpacks",
  "stack",
  "env",
  "metadata",
  "routes",
  "processes",
  "command",
  "instances",
  "memory",
  "disk_quota",
  "health-check-type",
  "health-check-http-endpoint",
  "timeout",
];

/** What applying a manifest would change. `present` has the app's web process merged in; what the manifest leaves out stays. */
export function manifestDiff(wanted: Plain, present: Plain, at: number): Difference[] {
  const keys = Object.keys(wanted).filter((key) => known.includes(key));
  return keys.flatMap((key) => compare(present[key], wanted[key], { key, path: `/applications/${at}/${key}` }));
}

interface Place {
  key: string;
  path: string;
}

function compare(was: unknown, value: unknown, { key, path }: Place): Difference[] {
  if (same(was, value, key)) return [];
  if (was === undefined || was === null) return [{ op: "add", path, value }];
  const identifier = identifiers[key];
  if (identifier && Array.isArray(was) && Array.isArray(value)) return compareLists(was, value, { identifier, path });
  if (isPlain(was) && isPlain(value))
    return Object.keys(value).flatMap((name) =>
      compare(was[name], value[name], { key: name, path: `${path}/${name}` }),
    );
  return [{ op: "replace", path, was, value }];
}

function compareLists(was: unknown[], value: unknown[], { identifier, path }: { identifier: string; path: string }) {
  return value.flatMap((one, at) => {
    const old = was.find((other) => isPlain(other) && isPlain(one) && other[identifier] === one[identifier]);
    return compare(old, one, { key: String(at), path: `${path}/${at}` });
  });
}

function same(was: unknown, value: unknown, key: string): boolean {
  if (sizes.includes(key) && was !== undefined) return mebibytes(String(was)) === mebibytes(String(value));
  return JSON.stringify(was) === JSON.stringify(value);
}

const isPlain = (value: unknown): value is Plain =>
  typeof value === "object" && value !== null && !Array.isArray(value);
