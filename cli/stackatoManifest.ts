import {
  type AppSpec,
  type At,
  bad,
  inside,
  type Keys,
  map,
  number,
  type ProcessSpec,
  size,
  string,
  strings,
} from "./appSpec.ts";
import { cfKeys } from "./cfManifest.ts";
import { Fault } from "./fault.ts";

// The keys of stackato.yml as the clients of 2012 to 2015 read them, as far as they mean something here.

/** Names of frameworks then and now; others are passed on as they are. */
const frameworks: Record<string, string> = {
  node: "nodejs",
  "node.js": "nodejs",
  django: "python",
  wsgi: "python",
  html: "static",
  standalone: "procfile",
  generic: "procfile",
};

/** "Use whatever buildpack fits", not a name. */
const detects = new Set(["buildpack", "auto", ""]);

export const stackatoKeys: Keys = {
  name: (value, at) => ({ name: string(value, at) }),
  path: (value, at) => ({ path: string(value, at) }),
  mem: (value, at) => ({ memory: size(value, at) }),
  memory: (value, at) => ({ memory: size(value, at) }),
  disk: (value, at) => ({ disk: size(value, at) }),
  instances: (value, at) => ({ instances: number(value, at) }),
  command: (value, at) => ({ command: string(value, at) }),
  buildpack: (value, at) => ({ buildpacks: [string(value, at)] }),
  framework: (value, at) => framework(value, at),
  env: (value, at) => ({ env: environment(value, at) }),
  url: (value, at) => ({ urls: strings(value, at) }),
  urls: (value, at) => ({ urls: strings(value, at) }),
  "health-timeout": (value, at) => ({ health: { timeout: number(value, at) } }),
  timeout: (value, at) => ({ health: { timeout: number(value, at) } }),
  processes: (value, at) => processes(value, at),
  ignores: (value, at) => ({ ignores: strings(value, at) }),
  // The client of 3.x read stackato.yml and manifest.yml alike.
  stackato: (value, at) => nested(value, at),
  disk_quota: (value, at) => ({ disk: size(value, at) }),
  "no-route": (value, at) => cfKeys["no-route"]?.(value, at) ?? {},
};

function nested(value: unknown, at: At): AppSpec {
  const all: AppSpec = {};
  for (const [name, each] of Object.entries(map(value, at))) {
    const key = name === "stackato" ? undefined : stackatoKeys[name];
    if (key) Object.assign(all, key(each, inside(at, name)));
    else at.reading.warnings.push(`${at.reading.file}: ${inside(at, name).path} is not known and does nothing`);
  }
  return all;
}

function framework(value: unknown, at: At): AppSpec {
  if (typeof value === "string") return named(value);
  const { type, runtime: _runtime, ...rest } = map(value, at);
  for (const key of Object.keys(rest)) {
    at.reading.warnings.push(`${at.reading.file}: ${inside(at, key).path} is not known and does nothing`);
  }
  return type === undefined || type === null ? {} : named(string(type, inside(at, "type")));
}

function named(type: string): AppSpec {
  return detects.has(type) ? {} : { buildpacks: [frameworks[type] ?? type] };
}

/** A value, or a map that says where it comes from: `default`, `inherit` (the person's environment), `required`. */
function environment(value: unknown, at: At): Record<string, string> {
  const found: Record<string, string> = {};
  for (const [name, each] of Object.entries(map(value, at))) {
    const text = variable(each, { name, at: inside(at, name) });
    if (text !== undefined) found[name] = text;
  }
  return found;
}

function variable(value: unknown, { name, at }: { name: string; at: At }): string | undefined {
  if (value === null || value === undefined) return "";
  if (typeof value !== "object") return String(value);
  const { default: fallback, inherit, required } = map(value, at);
  const own = inherit === true || required === true ? at.reading.environment[name] : undefined;
  if (own !== undefined) return own;
  if (fallback !== undefined && fallback !== null) return string(fallback, inside(at, "default"));
  if (required !== true) return undefined;
  throw new Fault(`${at.reading.file}: ${at.path} is required and has no value`, {
    code: "bad_manifest",
    hint: `set ${name} in your environment, or push with --env ${name}=…`,
  });
}

function processes(value: unknown, at: At): AppSpec {
  const all: ProcessSpec[] = Object.entries(map(value, at)).flatMap(([type, command]) => {
    if (command === null || command === "~") return [];
    if (typeof command !== "string") throw bad(inside(at, type), "must be a command");
    return [{ type, command }];
  });
  const { command } = all.find((each) => each.type === "web") ?? {};
  const others = all.filter((each) => each.type !== "web");
  return { ...(command && { command }), ...(others.length && { processes: others }) };
}
