import { parse as parseYaml } from "yaml";
import { type AppSpec, type Keys, type Reading, readKeys } from "./appSpec.ts";
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

/** A parse that goes on behind a wrong value, so that one reading tells of all of them. */
interface Pass extends Reading {
  keys: Keys;
  problems: Fault[];
}

/** Reads manifest.yml or stackato.yml. Unknown keys are warned about, wrong values throw with their paths. Pure. */
export function parseManifest({ file, text, environment = {} }: ManifestText): Manifest {
  const document = record(yaml(file, text), file);
  const stackato = /(^|\/)stackato\.ya?ml$/.test(file);
  const problems: Fault[] = [];
  const pass: Pass = {
    file,
    environment,
    warnings: [],
    problems,
    keys: lenient(stackato ? stackatoKeys : cfKeys, problems),
  };
  const apps = stackato ? stackatoApps(document, pass) : cfApps(document, pass);
  const [first] = problems;
  if (first) throw allOf(first, problems, pass.warnings);
  return { apps, warnings: pass.warnings };
}

/** The same keys; a wrong value is put down, and counts as not said. */
function lenient(keys: Keys, problems: Fault[]): Keys {
  const rows = Object.entries(keys).map(([name, key]): [string, Keys[string]] => [
    name,
    (value, at) => {
      try {
        return key(value, at);
      } catch (error) {
        if (!(error instanceof Fault)) throw error;
        problems.push(error);
        return {};
      }
    },
  ]);
  return Object.fromEntries(rows);
}

/** One alone speaks for itself; more stand one a line, with what else is odd. */
function allOf(first: Fault, problems: readonly Fault[], warnings: readonly string[]): Fault {
  const lines = [...problems.map(({ message }) => message), ...warnings];
  if (lines.length === 1) return first;
  const hint = problems.find((each) => each.hint)?.hint ?? "mend these lines and push again";
  return new Fault(lines.join("\n  "), { code: first.code, hint });
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
function cfApps(document: Record<string, unknown>, reading: Pass): AppSpec[] {
  const { applications, version: _version, ...rest } = document;
  const shared = anchorsAside(rest);
  if (applications === undefined) return [readKeys(shared, { keys: reading.keys, path: "", reading })];
  if (!Array.isArray(applications)) throw bad(reading, "applications", "must be a list");
  const common = readKeys(shared, { keys: reading.keys, path: "", reading });
  return applications.map((each, index) => {
    const path = `applications[${index}]`;
    const own = readKeys(record(each, `${reading.file}: ${path}`), { keys: reading.keys, path, reading });
    return { ...common, ...own, env: { ...common.env, ...own.env } };
  });
}

/** Top-level keys that only carry anchors (`defaults: &defaults`, `x-…`) are no settings. */
function anchorsAside(rest: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(rest).filter(([key]) => !/^(defaults?|x-.*|_.*|\..*)$/.test(key)));
}

function stackatoApps(document: Record<string, unknown>, reading: Pass): AppSpec[] {
  const { applications, ...rest } = document;
  if (applications === undefined) return [readKeys(rest, { keys: reading.keys, path: "", reading })];
  const named = Object.entries(record(applications, `${reading.file}: applications`));
  // Here the list is a map: directory → app.
  return named.map(([directory, each]) => {
    const path = `applications.${directory}`;
    const own = readKeys(record(each, `${reading.file}: ${path}`), { keys: reading.keys, path, reading });
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
