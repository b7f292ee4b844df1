import { readFileSync } from "node:fs";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { DescribeInstanceAttributeCommand } from "@aws-sdk/client-ec2";
import { machines } from "./ec2Eyes.ts";
import { type Ground, ground } from "./pulumiEngine.ts";
import { type Person, person, type Ran, type RunOptions } from "./tutti.ts";

/** A public key whose private half nobody has kept. */
const key = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIMbZK+2yk3b+22YvNnuae8LaCHxlp68gcitgsjR6WCKi you@example.com";

/** A person with a cluster.yaml, and an EC2 that they and the test both see. */
export interface OfflineCluster {
  readonly there: Ground;
  readonly me: Person;
  /** The `cluster.yaml` that the person edits. */
  readonly spec: string;
  /** Makes the text of a profile the person's `cluster.yaml`. */
  write(profile: string, change?: (text: string) => string): Promise<void>;
  /** Changes it. */
  edit(change: (text: string) => string): Promise<void>;
  /** `tutti VERB cluster.yaml --offline …`: everything that it prints is kept. */
  tutti(verb: string, more?: readonly string[], options?: RunOptions): Promise<Ran>;
  /** As `tutti … --yes --json`, which has to go well: the last line. */
  good(verb: string, more?: readonly string[]): Promise<Result>;
  /** All that was printed so far. */
  readonly printed: string[];
  gone(): Promise<void>;
}

export interface Result {
  ok: boolean;
  nodes: { id: string; instance: string; type: string; roles: string[]; publicAddress: string }[];
  outputs: Record<string, unknown>;
  changes: { deed: string; kind: string; name: string; properties: string[] }[];
  effects: { node: string; kind: string; roles: string[] }[];
}

export async function offlineCluster(): Promise<OfflineCluster> {
  const there = await ground();
  const me = await person();
  const home = join(me.home, "offline");
  await mkdir(home, { mode: 0o700 });
  // As `tutti offline up` would have left it; but this API lives in the test, which can make it misbehave.
  await writeFile(join(home, "ground.json"), JSON.stringify({ pid: process.pid, url: there.api.url }));
  const bundle = join(me.home, "tutti-agent-0.1.0-x64-abababab.tar.gz");
  await writeFile(bundle, "the agent");
  const spec = join(me.home, "cluster.yaml");
  const printed: string[] = [];
  const tutti: OfflineCluster["tutti"] = async (verb, more = [], options = {}) => {
    const env = { TUTTI_BUNDLE: bundle, ...options.env };
    const ran = await me.tutti([verb, spec, "--offline", ...more], { ...options, env });
    printed.push(ran.out, ran.err);
    return ran;
  };
  return {
    ...{ there, me, spec, printed, tutti },
    write: (profile, change = (text) => text) => writeFile(spec, change(profileText(profile))),
    edit: async (change) => writeFile(spec, change(await readFile(spec, "utf8"))),
    async good(verb, more = []) {
      const yes = verb === "up" || verb === "destroy" ? ["--yes"] : [];
      const ran = await tutti(verb, [...yes, "--json", ...more]);
      if (ran.code !== 0) throw new Error(`tutti ${verb} ended with ${ran.code}:\n${ran.err}`);
      return ran.json() as unknown as Result;
    },
    async gone() {
      await me.gone();
      await there.stop();
    },
  };
}

function profileText(name: string): string {
  const text = readFileSync(new URL(`../../examples/${name}/cluster.yaml`, import.meta.url), "utf8");
  return text.replace("~/.ssh/id_ed25519.pub", key);
}

/** Processes whose environment has this text: those that a test has started, and what they have started. */
export async function processesWith(text: string): Promise<{ pid: number; argv: string }[]> {
  const found = await Promise.all(
    (await readdir("/proc")).filter((name) => /^\d+$/.test(name)).map((pid) => processWith(pid, text)),
  );
  return found.flat();
}

async function processWith(pid: string, text: string): Promise<{ pid: number; argv: string }[]> {
  const environ = await readFile(`/proc/${pid}/environ`, "utf8").catch(() => "");
  if (!environ.includes(text)) return [];
  const argv = await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  return [{ pid: Number(pid), argv: argv.replaceAll("\0", " ") }];
}

/** User data of every machine, as EC2 gives it to the machine. */
export async function userData(there: Ground): Promise<Buffer[]> {
  return await Promise.all(
    (await machines(there)).map(async ({ InstanceId }) => {
      const command = new DescribeInstanceAttributeCommand({ InstanceId, Attribute: "userData" });
      const { UserData } = await there.ec2.send(command);
      return Buffer.from(UserData?.Value ?? "", "base64");
    }),
  );
}
