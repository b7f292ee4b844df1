import { readFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { AppSpec } from "../appSpec.ts";
import type { Call } from "../call.ts";
import { Fault, wrongUsage } from "../fault.ts";
import { type Wanted, wanted } from "./wanted.ts";

/** Looked for in this order in the directory that is pushed. */
const names = ["manifest.yml", "manifest.yaml", "stackato.yml"];

/** What is to be pushed, by the manifest (when there is one) and the command line. */
export async function readWanted(call: Call, cwd: string): Promise<Wanted[]> {
  const found = await findManifest(call, cwd);
  const base = found ? dirname(found.file) : resolve(cwd, call.text("path") ?? ".");
  return wanted(call, { apps: found ? await readApps(call, found) : [], base, cwd });
}

interface FoundManifest {
  file: string;
  text: string;
}

async function findManifest(call: Call, cwd: string): Promise<FoundManifest | undefined> {
  const named = call.text("manifest");
  if (call.off("manifest")) return undefined;
  if (named) {
    const file = resolve(cwd, named);
    const text = await read(file);
    if (text === undefined) throw wrongUsage(`there is no manifest ${named}`);
    return { file, text };
  }
  for (const name of names) {
    const file = join(resolve(cwd, call.text("path") ?? "."), name);
    const text = await read(file);
    if (text !== undefined) return { file, text };
  }
  return undefined;
}

async function readApps({ io }: Call, { file, text }: FoundManifest): Promise<AppSpec[]> {
  const { parseManifest } = await import("../manifest.ts");
  const { apps, warnings } = parseManifest({ file, text, environment: io.env });
  for (const warning of warnings) io.note(`warning: ${warning}`);
  return apps;
}

async function read(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT" || code === "ENOTDIR") return undefined;
    throw new Fault(`${file} cannot be read: ${message}`, { code: "bad_manifest", cause: error });
  }
}
