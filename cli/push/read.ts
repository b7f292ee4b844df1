import { readFile, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { AppSpec } from "../appSpec.ts";
import type { Call } from "../call.ts";
import { Fault, wrongUsage } from "../fault.ts";
import { type Wanted, wanted } from "./wanted.ts";

/** Looked for in this order in the directory that is pushed. */
const names = ["manifest.yml", "manifest.yaml", "stackato.yml"];

/** What is to be pushed, by the manifest (when there is one) and the command line. */
export async function readWanted(call: Call, cwd: string): Promise<Wanted[]> {
  await refuseNowhere(call, cwd);
  const found = await findManifest(call, cwd);
  const base = found ? dirname(found.file) : resolve(cwd, call.text("path") ?? ".");
  return wanted(call, { apps: found ? await readApps(call, found) : [], base, cwd });
}

/** Else a manifest is looked for where nothing is, and the complaint is about that. */
async function refuseNowhere(call: Call, cwd: string): Promise<void> {
  const path = call.text("path");
  if (path === undefined) return;
  const found = await stat(resolve(cwd, path)).catch(() => undefined);
  if (found?.isDirectory()) return;
  throw wrongUsage(
    found ? `--path: ${path} is not a directory` : `--path: there is no directory ${path}`,
    "name the directory that the app is in",
  );
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
    if (text === undefined)
      throw wrongUsage(`there is no manifest ${named}`, "name one that is there, or --no-manifest to read none");
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
    const why = code === "EACCES" ? "permission denied" : message;
    throw new Fault(`${file} cannot be read: ${why}`, {
      code: "bad_manifest",
      hint: "change its permissions, or leave it unread: --no-manifest",
      cause: error,
    });
  }
}
