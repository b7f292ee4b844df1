import { randomBytes } from "node:crypto";
import { chmod, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { Fault } from "./fault.ts";

/** What the command remembers between two uses. The tokens are secrets: the file is for its owner only. */
export interface Config {
  /** Base URL of the API. */
  target?: string;
  /** Base URL of the token endpoint the tokens came from. */
  login?: string;
  user?: string;
  accessToken?: string;
  refreshToken?: string;
  organization?: Named;
  space?: Named;
}

export interface Named {
  guid: string;
  name: string;
}

export function configPath(env: NodeJS.ProcessEnv): string {
  return join(env["TUTTI_HOME"] || join(homedir(), ".tutti"), "config.json");
}

/** The remembered, or nothing when there is no file. TUTTI_TARGET (or STACKATO_TARGET) in the environment wins. */
export async function readConfig(env: NodeJS.ProcessEnv): Promise<Config> {
  const saved = await savedConfig(configPath(env));
  const target = env["TUTTI_TARGET"] || env["STACKATO_TARGET"];
  // Tokens of one cluster are never sent to another.
  return target && target !== saved.target ? { target } : saved;
}

async function savedConfig(path: string): Promise<Config> {
  try {
    const value: unknown = JSON.parse(await readFile(path, "utf8"));
    if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Config;
    throw new SyntaxError("not an object");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return {};
    throw new Fault(`${path} cannot be read: ${(error as Error).message}`, {
      code: "config_unreadable",
      hint: "remove the file, then: tutti target URL and tutti login",
      cause: error,
    });
  }
}

/** Replaces the file in one step, so that a command that is interrupted, or another at the same time, never halves it. */
export async function writeConfig(env: NodeJS.ProcessEnv, config: Config): Promise<void> {
  const path = configPath(env);
  const fresh = `${path}.${randomBytes(6).toString("hex")}`;
  try {
    await mkdir(join(path, ".."), { recursive: true, mode: 0o700 });
    await writeFile(fresh, `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 });
    await chmod(fresh, 0o600);
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true }).catch(() => {});
    throw new Fault(`${path} cannot be written: ${(error as Error).message}`, {
      code: "config_unwritable",
      hint: "set TUTTI_HOME to a directory of yours",
      cause: error,
    });
  }
}
