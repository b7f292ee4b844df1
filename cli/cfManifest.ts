import {
  type At,
  bad,
  flag,
  type HealthCheck,
  inside,
  type Keys,
  map,
  number,
  type ProcessSpec,
  size,
  string,
  strings,
} from "./appSpec.ts";

// The keys of Cloud Foundry's manifest.yml. docs.cloudfoundry.org/devguide/deploy-apps/manifest-attributes.html

const healthTypes: Record<string, HealthCheck["type"]> = {
  port: "port",
  http: "http",
  process: "process",
  none: "process",
};

export const cfKeys: Keys = {
  name: (value, at) => ({ name: string(value, at) }),
  path: (value, at) => ({ path: string(value, at) }),
  memory: (value, at) => ({ memory: size(value, at) }),
  disk_quota: (value, at) => ({ disk: size(value, at) }),
  instances: (value, at) => ({ instances: number(value, at) }),
  command: (value, at) => detected(string(value, at), (command) => ({ command })),
  buildpack: (value, at) => detected(string(value, at), (buildpack) => ({ buildpacks: [buildpack] })),
  buildpacks: (value, at) => ({ buildpacks: strings(value, at) }),
  stack: (value, at) => ({ stack: string(value, at) }),
  env: (value, at) => ({ env: variables(value, at) }),
  routes: (value, at) => ({ urls: routes(value, at) }),
  host: (value, at) => ({ hosts: [string(value, at)] }),
  hosts: (value, at) => ({ hosts: strings(value, at) }),
  domain: (value, at) => ({ domains: [string(value, at)] }),
  domains: (value, at) => ({ domains: strings(value, at) }),
  "no-route": (value, at) => ({ noRoute: flag(value, at) }),
  "random-route": (value, at) => ({ randomRoute: flag(value, at) }),
  "health-check-type": (value, at) => ({ health: { type: healthType(value, at) } }),
  "health-check-http-endpoint": (value, at) => ({ health: { endpoint: string(value, at) } }),
  timeout: (value, at) => ({ health: { timeout: number(value, at) } }),
  processes: (value, at) => ({ processes: processes(value, at) }),
};

/** `null` and `default` ask for detection, which is what happens anyway. */
function detected<T>(value: string, use: (value: string) => T): T | Record<string, never> {
  return value === "null" || value === "default" ? {} : use(value);
}

function healthType(value: unknown, at: At): HealthCheck["type"] {
  const type = healthTypes[string(value, at)];
  if (!type) throw bad(at, `must be one of ${Object.keys(healthTypes).join(", ")}`);
  return type;
}

/** Numbers and maps become text, as Cloud Foundry makes them. */
export function variables(value: unknown, at: At): Record<string, string> {
  const pairs = Object.entries(map(value, at)).map(([name, each]) => {
    if (each === null || each === undefined) return [name, ""];
    return [name, typeof each === "object" ? JSON.stringify(each) : String(each)];
  });
  return Object.fromEntries(pairs);
}

function routes(value: unknown, at: At): string[] {
  if (!Array.isArray(value)) throw bad(at, "must be a list of `route: ADDRESS`");
  return value.map((each, index) => {
    const where = inside(at, `[${index}]`);
    const { route, protocol: _protocol, ...rest } = map(each, where);
    for (const key of Object.keys(rest)) {
      at.reading.warnings.push(`${at.reading.file}: ${where.path}.${key} is not known and does nothing`);
    }
    return string(route, inside(where, "route"));
  });
}

function processes(value: unknown, at: At): ProcessSpec[] {
  if (!Array.isArray(value)) throw bad(at, "must be a list");
  return value.map((each, index) => one(map(each, inside(at, `[${index}]`)), inside(at, `[${index}]`)));
}

const processKeys = [
  "memory",
  "disk_quota",
  "instances",
  "command",
  "health-check-type",
  "health-check-http-endpoint",
  "timeout",
];

function one({ type, ...rest }: Record<string, unknown>, at: At): ProcessSpec {
  const spec: ProcessSpec = { type: string(type ?? "web", inside(at, "type")) };
  for (const [name, value] of Object.entries(rest)) {
    const key = processKeys.includes(name) ? cfKeys[name] : undefined;
    const where = inside(at, name);
    if (!key) at.reading.warnings.push(`${at.reading.file}: ${where.path} is not known and does nothing`);
    else if (value !== null) {
      const { health, ...more } = key(value, where);
      Object.assign(spec, more, health && { health: { ...spec.health, ...health } });
    }
  }
  return spec;
}
