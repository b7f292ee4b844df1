import { parse as parseYaml } from "yaml";
import { type AppSpec, type Reading, readKeys } from "./appSpec.ts";
import { cfKeys } from "./cfManifest.ts";
import { Fault } from "./fault.ts";
import { stackatoKeys } from "./stackatoManifest.ts";

export interface Manifest {
  apps: AppSpec[];
  /** What was read over, each with its path. */
  warnings: string[];
}

export interface ManifestText {
  /** Its name decides the dialect: `stackato.yml`, anything else is Cloud Foundry's. */
  file: string;
  text: string;
  /** For stackato's variables that are inherited from the person's own environment. */
  environment?: Record<string, string | undefined>;
}

/** Reads manifest.yml or stackato.yml. Unknown keys are warned about, wrong values throw with their path. Pure. */
export function parseManifest({ file, text, environment = {} }: ManifestText): Manifest {
  const document = record(yaml(file, text), file);
  const reading: Reading = { file, environment, warnings: [] };
  const stackato = /(^|\/)stackato\.ya?ml$/.test(file);
  const apps = stackato ? stackatoApps(document, reading) : cfApps(document, reading);
  return { apps, warnings: reading.warnings };
}

function yaml(file: string, text: string): unknown {
  try {
    // An alias bomb is refused by the parser's own limit.
    return parseYaml(text, { merge: true, maxAliasCount: 100 }) ?? {};
  } catch (error) {
    const [first = ""] = (error as Error).message.split("\n");
    throw new Fault(`${file}: ${first.replace(/:$/, "")}`, {
      code: "bad_manifest",
      hint: "it is not valid YAML there",
      cause: error,
    });
  }
}

/** Keys beside `applications` hold for every app that does not say otherwise. */
function cfApps(document: Record<string, unknown>, reading: Reading): AppSpec[] {
  const { applications, version: _version, ...rest } = document;
  const shared = anchorsAside(rest);
  if (applications === undefined) return [readKeys(shared, { keys: cfKeys, path: "", reading })];
  if (!Array.isArray(applications)) throw bad(reading, "applications", "must be a list");
  const common = readKeys(shared, { keys: cfKeys, path: "", reading });
  return applications.map((each, index) => {
    const path = `applications[${index}]`;
    const own = readKeys(record(each, `${reading.file}: ${path}`), { keys: cfKeys, path, reading });
    return { ...common, ...own, env: { ...common.env, ...own.env } };
  });
}

/** Top-level keys that only carry anchors (`defaults: &defaults`, `x-…`) are no settings. */
function anchorsAside(rest: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(rest).filter(([key]) => !/^(defaults?|x-.*|_.*|\..*)$/.test(key)));
}

function stackatoApps(document: Record<string, unknown>, reading: Reading): AppSpec[] {
  const { applications, ...rest } = document;
  if (applications === undefined) return [readKeys(rest, { keys: stackatoKeys, path: "", reading })];
  const named = Object.entries(record(applications, `${reading.file}: applications`));
  // Here the list is a map: directory → app.
  return named.map(([directory, each]) => {
    const path = `applications.${directory}`;
    const own = readKeys(record(each, `${reading.file}: ${path}`), { keys: stackatoKeys, path, reading });
    return { path: directory, ...own };
  });
}

function record(value: unknown, where: string): Record<string, unknown> {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new Fault(`${where}: must be a map of keys and values`, { code: "bad_manifest" });
}

function bad({ file }: Reading, path: string, what: string): Fault {
  return new Fault(`${file}: ${path} ${what}`, { code: "bad_manifest" });
}
