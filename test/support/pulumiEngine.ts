import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { cp, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EC2Client } from "@aws-sdk/client-ec2";
import { IAMClient } from "@aws-sdk/client-iam";
import { S3Client } from "@aws-sdk/client-s3";
import { silent } from "../../agent/run/log.ts";
import { start } from "../../agent/run/runner.ts";
import { endSession } from "../../infra/run/session.ts";
import { type Ec2Api, ec2Api } from "../../rehearsal/ec2Api.ts";
import { type Offline, offline } from "../../rehearsal/offline.ts";
import { toolsBin } from "./tools.ts";

const project = fileURLToPath(new URL("../..", import.meta.url));
export const region = "eu-central-1";

/** The API of EC2 on this machine, and eyes and hands of its own at it. */
export interface Ground {
  readonly api: Ec2Api;
  readonly ec2: EC2Client;
  readonly iam: IAMClient;
  readonly s3: S3Client;
  stop(): Promise<void>;
}

export async function ground(): Promise<Ground> {
  needed("pulumi", "moto-python");
  const api = ec2Api({ log: silent });
  const running = start(api.runner);
  await running.ready;
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const options = { region, endpoint: api.url, credentials };
  const clients = { ec2: new EC2Client(options), iam: new IAMClient(options) };
  return { api, ...clients, s3: new S3Client({ ...options, forcePathStyle: true }), stop: () => running.stop() };
}

function needed(...names: string[]): void {
  for (const name of names)
    if (!existsSync(`${toolsBin}/${name}`)) throw new Error(`${name} is not set up: run "node bin/setup.mjs"`);
}

export interface Ran {
  readonly code: number | null;
  /** Standard output, then standard error. */
  readonly text: string;
  readonly ms: number;
}

/** A program and a stack of it in directories of their own, on the real engine. */
export interface Stack {
  /** Where the program is. */
  readonly directory: string;
  readonly offline: Offline;
  /** Runs `pulumi ARGS`. `during` is given the engine's process. */
  pulumi(args: readonly string[], during?: (engine: ChildProcess) => void): Promise<Ran>;
  /** `pulumi ARGS`, which has to go well. */
  good(...args: string[]): Promise<string>;
  set(key: string, value: string, secret?: "secret"): Promise<void>;
  outputs(): Promise<Record<string, unknown>>;
  /** The state as the engine keeps it: text, secrets encrypted. */
  state(): Promise<string>;
  /** What an engine that was killed leaves locked is open again. */
  unlock(): Promise<void>;
  gone(): Promise<void>;
}

export interface StackOptions {
  readonly ground: Ground;
  /** Directory of the program; it is copied. */
  readonly program: string;
  readonly name?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export async function stack({ ground: { api }, program, name = "test", env }: StackOptions): Promise<Stack> {
  const home = await mkdtemp(join(tmpdir(), "tutti-stack-"));
  const directory = join(home, "program");
  await cp(program, directory, { recursive: true });
  await symlink(join(project, "node_modules"), join(directory, "node_modules"));
  await writeFile(join(directory, "package.json"), '{"type":"module"}');
  const place = offline({ folder: join(home, "ground"), url: api.url, region });
  const pulumi: Stack["pulumi"] = (args, during) => run(directory, { ...place.env, ...env }, args, during);
  const good = async (...args: string[]) => {
    const { code, text } = await pulumi(args);
    if (code !== 0) throw new Error(`pulumi ${args.join(" ")} ended with ${code}:\n${text}`);
    return text;
  };
  await good("stack", "init", name);
  for (const [key, value] of Object.entries(place.config)) await good("config", "set", key, value);
  return {
    directory,
    offline: place,
    pulumi,
    good,
    set: async (key, value, secret) => void (await good("config", "set", ...(secret ? ["--secret"] : []), key, value)),
    outputs: async () => JSON.parse(await good("stack", "output", "--json")) as Record<string, unknown>,
    state: () => good("stack", "export"),
    unlock: async () => void (await good("cancel", "--yes", name)),
    gone: () => rm(home, { recursive: true, force: true, maxRetries: 5 }),
  };
}

function run(
  cwd: string,
  env: Record<string, string>,
  args: readonly string[],
  during?: (engine: ChildProcess) => void,
): Promise<Ran> {
  const began = performance.now();
  // In a session of its own, so that what it has started can be found when it is killed.
  const engine = spawn("pulumi", [...args, "--non-interactive", "--color", "never"], { cwd, env, detached: true });
  let out = "";
  let err = "";
  engine.stdout.setEncoding("utf8").on("data", (text) => (out += text));
  engine.stderr.setEncoding("utf8").on("data", (text) => (err += text));
  during?.(engine);
  return new Promise((resolve, reject) => {
    engine.once("error", reject);
    engine.once("exit", (_code, signal) => signal && engine.pid && endSession(engine.pid));
    // Not "close": what a killed engine has started may hold its output open a little longer.
    engine.once("exit", (code) =>
      setImmediate(() => resolve({ code, text: out + err, ms: performance.now() - began })),
    );
  });
}
