import { near } from "../roles/near.ts";
import { Fault } from "./fault.ts";
import { mebibytes, wholeNumber } from "./quantity.ts";

export interface HealthCheck {
  type?: "port" | "http" | "process";
  /** Seconds until an instance must be up. */
  timeout?: number;
  endpoint?: string;
}

export interface ProcessSpec extends HealthCheckHolder {
  type: string;
  instances?: number;
  /** MiB. */
  memory?: number;
  disk?: number;
  command?: string;
}

interface HealthCheckHolder {
  health?: HealthCheck;
}

/** What a manifest says of one app. Absent means: it does not say. */
export interface AppSpec extends HealthCheckHolder {
  name?: string;
  path?: string;
  instances?: number;
  /** MiB. */
  memory?: number;
  disk?: number;
  command?: string;
  buildpacks?: string[];
  stack?: string;
  env?: Record<string, string>;
  /** Full addresses: `shop.example.com/cart`. */
  urls?: string[];
  /** Hosts below the cluster's own domain. */
  hosts?: string[];
  /** Domains that hosts are meant below; absent: the cluster's own. */
  domains?: string[];
  noRoute?: boolean;
  randomRoute?: boolean;
  processes?: ProcessSpec[];
  /** Files to leave behind, as in an ignore file. */
  ignores?: string[];
}

/** One parse, with what it collects. */
export interface Reading {
  file: string;
  environment: Record<string, string | undefined>;
  warnings: string[];
}

export interface At {
  path: string;
  reading: Reading;
}

/** Turns the value of one key into settings; throws `bad` with the path. */
export type Key = (value: unknown, at: At) => AppSpec;
export type Keys = Readonly<Record<string, Key>>;

/** Reads every key by its row; keys without a row are warned about, null means "not said". */
export function readKeys(source: Record<string, unknown>, { keys, path, reading }: At & { keys: Keys }): AppSpec {
  const spec: AppSpec = {};
  for (const [name, value] of Object.entries(source)) {
    const at = { path: path ? `${path}.${name}` : name, reading };
    const key = Object.hasOwn(keys, name) ? keys[name] : undefined;
    if (!key) reading.warnings.push(unknown(at, name, keys));
    else if (value !== null && value !== undefined) merge(spec, key(value, at));
  }
  return spec;
}

function merge(spec: AppSpec, more: AppSpec): void {
  const health = { ...spec.health, ...more.health };
  const lists = {
    urls: [...(spec.urls ?? []), ...(more.urls ?? [])],
    hosts: [...(spec.hosts ?? []), ...(more.hosts ?? [])],
  };
  Object.assign(spec, more);
  if (Object.keys(health).length) spec.health = health;
  if (lists.urls.length) spec.urls = lists.urls;
  if (lists.hosts.length) spec.hosts = lists.hosts;
}

function unknown({ path, reading }: At, name: string, keys: Keys): string {
  const meant = near(name, Object.keys(keys));
  return `${reading.file}: ${path} is not known and does nothing${meant ? ` (did you mean ${meant}?)` : ""}`;
}

export function bad({ path, reading }: At, what: string): Fault {
  return new Fault(`${reading.file}: ${path} ${what}`, { code: "bad_manifest" });
}

export function string(value: unknown, at: At): string {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return String(value);
  throw bad(at, "must be text");
}

export function strings(value: unknown, at: At): string[] {
  return Array.isArray(value)
    ? value.map((each, index) => string(each, inside(at, `[${index}]`)))
    : [string(value, at)];
}

export function flag(value: unknown, at: At): boolean {
  if (typeof value === "boolean") return value;
  throw bad(at, "must be true or false");
}

export function number(value: unknown, at: At): number {
  return guarded(() => wholeNumber(string(value, at), `${at.reading.file}: ${at.path}`));
}

export function size(value: unknown, at: At): number {
  return guarded(() => mebibytes(string(value, at), `${at.reading.file}: ${at.path}`));
}

export function map(value: unknown, at: At): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw bad(at, "must be a map of keys and values");
}

export function inside({ path, reading }: At, part: string): At {
  return { path: part.startsWith("[") ? `${path}${part}` : `${path}.${part}`, reading };
}

/** A wrong value in a file is no wrong use of the command. */
function guarded<T>(check: () => T): T {
  try {
    return check();
  } catch (error) {
    const { message, hint } = error as Fault;
    throw new Fault(message, { code: "bad_manifest", hint });
  }
}
