import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";

const npmSecret = /(^|:)(_auth|_authToken|_password|username|email|certfile|keyfile|cert|key)\s*=/i;

/** An npmrc without what authenticates: builds run other people's code. */
export function withoutNpmSecrets(text: string): string {
  return text
    .split("\n")
    .filter((line) => !npmSecret.test(line.trim()))
    .join("\n");
}

/** A pip.conf without the names and passwords of its URLs. */
export function withoutUrlSecrets(text: string): string {
  return text.replace(/(:\/\/)[^/@\s]+@/g, "$1");
}

interface ConfigFile {
  from: string;
  to: string;
  clean: (text: string) => string;
}

/** Gives a build the agent's user's own settings of npm and pip, as its HOME is another. */
export async function copySettings(agent: NodeJS.ProcessEnv, home: string): Promise<void> {
  const own = agent["HOME"] ?? "/nonexistent";
  const npmrc = agent["npm_config_userconfig"] ?? agent["NPM_CONFIG_USERCONFIG"] ?? join(own, ".npmrc");
  const config = agent["XDG_CONFIG_HOME"] ?? join(own, ".config");
  const files: ConfigFile[] = [
    { from: npmrc, to: join(home, ".npmrc"), clean: withoutNpmSecrets },
    { from: join(own, ".pip/pip.conf"), to: join(home, ".pip/pip.conf"), clean: withoutUrlSecrets },
    { from: join(config, "pip/pip.conf"), to: join(home, ".config/pip/pip.conf"), clean: withoutUrlSecrets },
  ];
  for (const file of files) await copy(file);
}

async function copy({ from, to, clean }: ConfigFile): Promise<void> {
  const text = await readFile(from, "utf8").catch(() => undefined);
  if (text === undefined) return;
  await mkdir(dirname(to), { recursive: true });
  await writeFile(to, clean(text), { mode: 0o600 });
}
