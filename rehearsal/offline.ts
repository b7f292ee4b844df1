import { generateKeyPairSync, randomBytes } from "node:crypto";
import { chmodSync, existsSync, globSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { homedir } from "node:os";
import { basename, delimiter, dirname, join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import aws from "@pulumi/aws/package.json" with { type: "json" };

export interface OfflineOptions {
  /** Directory for all the engine writes: state, plugins, passphrase. Made when it is not there. */
  readonly folder: string;
  /** The rehearsal's API. */
  readonly url: string;
  readonly region?: string;
  /** Encrypts the state's secrets; default: one made once and kept in the folder. */
  readonly passphrase?: string;
}

export interface Offline {
  /** The whole environment for the engine: nothing of the person's own account is left in it. */
  readonly env: Readonly<Record<string, string>>;
  /** Settings for the stack, `pulumi config set KEY VALUE`: the real plugin needs them to be content with a rehearsal. */
  readonly config: Readonly<Record<string, string>>;
  /** Which plugin answers for @pulumi/aws. */
  readonly plugin: "real" | "rehearsed";
}

const project = fileURLToPath(new URL("..", import.meta.url));
const tools = join(project, ".cache/tools/bin");
const provider = fileURLToPath(new URL("provider/pulumi-resource-aws", import.meta.url));

/** An environment in which the engine runs in one folder, asks nobody in the world, and finds the rehearsal's API. */
export function offline(options: OfflineOptions): Offline {
  const { folder, url, region = "eu-central-1" } = options;
  const home = join(folder, "pulumi");
  const state = join(folder, "state");
  for (const directory of [folder, home, state]) mkdirSync(directory, { recursive: true, mode: 0o700 });
  const real = findRealPlugin();
  if (real) link(real, join(home, "plugins"));
  // Where the engine keeps plugins, and not on PATH: there it would warn of it at every turn.
  else link(provider, join(home, "plugins", `resource-aws-v${aws.version}`, basename(provider)));
  const first = [join(project, "node_modules/.bin"), tools];
  const env = {
    ...withoutAccounts(process.env),
    PATH: [...first, process.env["PATH"] ?? ""].join(delimiter),
    // Programs, providers and the engine's own scripts are many files: compiled once, they start in half the time.
    NODE_COMPILE_CACHE: join(project, ".cache/node"),
    PULUMI_HOME: home,
    // Without the query the engine keeps a file of attributes beside each file of state, and writes it in place: one that
    // is killed just then leaves it empty, and the state cannot be read any more. State itself is written and renamed.
    PULUMI_BACKEND_URL: `${pathToFileURL(state).href}?metadata=skip`,
    PULUMI_CONFIG_PASSPHRASE_FILE: passphraseFile(folder, options.passphrase),
    PULUMI_SKIP_UPDATE_CHECK: "1",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "1",
    TUTTI_SSH_KEY: process.env["TUTTI_SSH_KEY"] || ownKey(folder),
    AWS_ACCESS_KEY_ID: "rehearsal",
    AWS_SECRET_ACCESS_KEY: "rehearsal",
    AWS_REGION: region,
    AWS_ENDPOINT_URL: url,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/dev/null",
    AWS_SHARED_CREDENTIALS_FILE: "/dev/null",
  };
  return { env, config: contentment, plugin: real ? "real" : "rehearsed" };
}

const contentment = {
  "aws:skipCredentialsValidation": "true",
  "aws:skipMetadataApiCheck": "true",
  "aws:skipRequestingAccountId": "true",
  "aws:s3UsePathStyle": "true",
};

/** The person's environment without what would lead to an account, another state or another passphrase. */
function withoutAccounts(env: NodeJS.ProcessEnv): Record<string, string> {
  const kept = Object.entries(env).filter(([key]) => !/^(AWS_|PULUMI_)/.test(key));
  return Object.fromEntries(kept.flatMap(([key, value]) => (value === undefined ? [] : [[key, value]])));
}

/** By file and not by variable: a variable is inherited by everything that the engine starts. */
function passphraseFile(folder: string, given: string | undefined): string {
  const path = join(folder, "passphrase");
  if (given === undefined && existsSync(path)) return path;
  writeFileSync(path, given ?? randomBytes(24).toString("base64url"), { mode: 0o600 });
  chmodSync(path, 0o600);
  return path;
}

/** Nobody can be asked for the key that an example names, and nobody logs in: a public one whose other half is not kept. */
function ownKey(folder: string): string {
  const path = join(folder, "id_ed25519.pub");
  if (existsSync(path)) return path;
  const { x = "" } = generateKeyPairSync("ed25519").publicKey.export({ format: "jwk" });
  const fields = [Buffer.from("ssh-ed25519"), Buffer.from(x, "base64url")];
  const wire = fields.flatMap((field) => [Buffer.from([0, 0, 0, field.length]), field]);
  writeFileSync(path, `ssh-ed25519 ${Buffer.concat(wire).toString("base64")} offline\n`, { mode: 0o600 });
  return path;
}

/** The person's directory of plugins, when the real one for AWS is in it. */
function findRealPlugin(): string | undefined {
  const plugins = join(process.env["PULUMI_HOME"] ?? join(homedir(), ".pulumi"), "plugins");
  return globSync("resource-aws-v7.*/pulumi-resource-aws*", { cwd: plugins }).length > 0 ? plugins : undefined;
}

function link(target: string, path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  rmSync(path, { force: true });
  symlinkSync(target, path);
}
