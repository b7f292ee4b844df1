import { isDeepStrictEqual } from "node:util";
import type { Field, Kind, Props } from "./kind.ts";
import { hasUnknown, isAsset } from "./values.ts";

export interface Difference {
  /** Inputs that differ. */
  readonly changed: readonly string[];
  /** Of them those that make another resource. */
  readonly replaces: readonly string[];
  /** True when the name stays and is the program's own: the old one has to go before the new one comes. */
  readonly nameInTheWay: boolean;
  /** Path → what happened, as deep as people want to read it: single tags, not all of them. */
  readonly paths: Readonly<Record<string, "add" | "delete" | "update">>;
}

/** What differs between the inputs a resource has and those it should have. */
export function differ(kind: Pick<Kind, "fields" | "named">, has: Props, wants: Props): Difference {
  const keys = [...new Set([...Object.keys(has), ...Object.keys(wants)])].filter((key) => key in kind.fields);
  const changed = keys.filter((key) => !same(kind.fields[key] ?? {}, has[key], wants[key]));
  const replaces = changed.filter((key) => makesAnother(kind.fields[key] ?? {}, key, wants));
  const paths = Object.assign({}, ...changed.map((key) => pathsOf(key, has[key], wants[key])));
  return { changed, replaces, paths, nameInTheWay: replaces.length > 0 && keepsName(kind.named, has, wants) };
}

function keepsName(named: string | undefined, has: Props, wants: Props): boolean {
  const madeUp = Array.isArray(wants["__defaults"]) && wants["__defaults"].includes(named);
  return named !== undefined && !madeUp && has[named] === wants[named];
}

/** The real provider leaves it to the program whether new user data makes a new machine. */
function makesAnother(field: Field, key: string, wants: Props): boolean {
  const userData = key === "userData" || key === "userDataBase64";
  return field.replaces === true || (userData && wants["userDataReplaceOnChange"] === true);
}

/** True when what is there is what is wanted. */
export function same(field: Field, has: unknown, wants: unknown): boolean {
  if (nothing(wants)) return nothing(has) || field.chosen === true || isDeepStrictEqual(has, field.default);
  if (hasUnknown(wants)) return false;
  if (nothing(has)) return field.default !== undefined && isDeepStrictEqual(wants, field.default);
  if (isAsset(has) && isAsset(wants)) return has.hash === wants.hash;
  if (field.json) return isDeepStrictEqual(parsed(has), parsed(wants));
  if (field.set) return isDeepStrictEqual(sorted(has), sorted(wants));
  if (field.chosen && isObject(has) && isObject(wants))
    return Object.entries(wants).every(([key, value]) => same({ chosen: true }, has[key], value));
  // YAML and forms know "8080" and 8080 apart; AWS does not.
  return isDeepStrictEqual(has, wants) || (isScalar(has) && isScalar(wants) && String(has) === String(wants));
}

const nothing = (value: unknown): boolean =>
  value === undefined ||
  value === null ||
  value === "" ||
  (Array.isArray(value) && value.length === 0) ||
  (isObject(value) && Object.keys(value).length === 0);

const isScalar = (value: unknown): boolean => typeof value !== "object";

function isObject(value: unknown): value is Props {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}

function parsed(value: unknown): unknown {
  try {
    return JSON.parse(String(value));
  } catch {
    return value;
  }
}

function sorted(value: unknown): unknown {
  return Array.isArray(value) ? value.map((one) => JSON.stringify(one)).sort() : value;
}

function pathsOf(path: string, has: unknown, wants: unknown): Difference["paths"] {
  if (!isObject(has) || !isObject(wants) || isAsset(wants))
    return { [path]: nothing(has) ? "add" : nothing(wants) ? "delete" : "update" };
  const keys = [...new Set([...Object.keys(has), ...Object.keys(wants)])];
  const inner = keys.filter((key) => !isDeepStrictEqual(has[key], wants[key]));
  return Object.assign({}, ...inner.map((key) => pathsOf(step(path, key), has[key], wants[key])));
}

const step = (path: string, key: string): string => (/^\w+$/.test(key) ? `${path}.${key}` : `${path}["${key}"]`);

/** What a resource has, as far as the program said anything about it: an answer of the API in the words of the inputs. */
export function project(kind: Pick<Kind, "fields">, said: Props | undefined, state: Props): Props {
  const keys = Object.keys(kind.fields).filter((key) => {
    if (nothing(state[key])) return false;
    // Tags that somebody has added are a difference even where the program has none.
    return said === undefined || key in said || key === "tags";
  });
  const has = Object.fromEntries(
    keys.map((key) => [key, kind.fields[key]?.chosen ? narrowed(said?.[key], state[key]) : state[key]]),
  );
  // What can't be read back (an object's content) stays as it was said.
  const unread = Object.entries(said ?? {}).filter(([key]) => !(key in state));
  return { ...Object.fromEntries(unread), ...has };
}

/** Of an object that AWS has completed, the part that the program gave; and nothing new where it says the same. */
function narrowed(said: unknown, has: unknown): unknown {
  if (!isObject(said) || !isObject(has) || isAsset(said)) return has;
  const full = Object.keys(said).every((key) => key in has);
  return full ? Object.fromEntries(Object.keys(said).map((key) => [key, has[key]])) : has;
}
