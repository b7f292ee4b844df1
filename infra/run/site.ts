import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";

/** Where the engine runs: one stack of one cluster. */
export interface Site {
  /** Path of the engine. */
  readonly program: string;
  /** Directory with the project's and the stack's settings: the engine's working directory. */
  readonly folder: string;
  /** As the engine takes it: `dev`, `me/tutti-trio/dev`. */
  readonly stack: string;
  /** The engine's whole environment. */
  readonly env: Readonly<Record<string, string>>;
}

export interface SiteFacts {
  /** Name of the Pulumi project. */
  readonly project: string;
  /** Path of the program. */
  readonly main: string;
  /** Settings that a stack begins with. */
  readonly config?: Readonly<Record<string, string>>;
}

/** Writes what the engine wants to find in its folder. What a stack has been told already is left alone. */
export function lay({ folder, stack }: Pick<Site, "folder" | "stack">, { project, main, config }: SiteFacts): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const runtime = { name: "nodejs", options: { typescript: false } };
  write(join(folder, "Pulumi.yaml"), { name: project, runtime, main });
  const settings = join(folder, `Pulumi.${stack.split("/").at(-1)}.yaml`);
  if (config && !existsSync(settings)) write(settings, { config });
}

/** JSON is YAML too, and needs nobody who writes it. */
function write(file: string, content: object): void {
  writeFileSync(file, `${JSON.stringify(content, undefined, 2)}\n`, { mode: 0o600 });
}

/** The engine, where PATH has it. */
export function findEngine(path: string): string | undefined {
  const places = path.split(delimiter).filter(Boolean);
  return places.map((place) => join(place, "pulumi")).find((program) => existsSync(program));
}

/**
 * PATH for the engine: in front the Node that runs us, because the one of the machine may know no types; last what set-up
 * has put beside the project, because a person's own engine brings its own parts.
 */
export function pathFor(own: string, tools: string): string {
  return [dirname(process.execPath), own, tools].filter(Boolean).join(delimiter);
}
