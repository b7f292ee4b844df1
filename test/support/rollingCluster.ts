import { writeFileSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { openAccount } from "../../infra/inventoryAccount.ts";
import { findMachines } from "../../infra/inventoryEc2.ts";
import { type Hands, type RollingOptions, rollingUp } from "../../infra/run/rolling.ts";
import { findEngine, lay, type Site } from "../../infra/run/site.ts";
import { makeStack } from "../../infra/run.ts";
import { offline } from "../../rehearsal/offline.ts";
import { type ClusterSpec, parseCluster } from "../../roles/spec.ts";
import { machines, tagOf } from "./ec2Eyes.ts";
import { processesWith } from "./offlineCluster.ts";
import { type Ground, ground } from "./pulumiEngine.ts";

/** A cluster on the real engine whose nodes are replaced one after the other, and a log of what happened. */
export interface RollingCluster {
  readonly there: Ground;
  readonly site: Site;
  /** `run dea-0`, `ready dea-0`, `drain dea-0`, `end dea-0` …, in the order in which it was done. */
  readonly log: string[];
  /** What the hands do, beside writing the log. */
  readonly acts: Partial<Hands>;
  /** Called when a machine has come or gone, after the log was written and before the engine hears of it. */
  onMachine: (() => Promise<void> | void) | undefined;
  /** Kills the engine that works. */
  kill(): Promise<void>;
  up(text: string, more?: Partial<RollingOptions>): ReturnType<typeof rollingUp>;
  /** Node → instance. */
  nodes(): Promise<Record<string, string>>;
  gone(): Promise<void>;
}

export async function rollingCluster(): Promise<RollingCluster> {
  const there = await ground();
  const home = await mkdtemp(join(tmpdir(), "tutti-rolling-"));
  const { env, config } = offline({ folder: join(home, "engine"), url: there.api.url });
  const bundle = join(home, "tutti-agent-0.1.0-x64-abababab.tar.gz");
  await writeFile(bundle, "the agent");
  const spec = join(home, "cluster.yaml");
  const more = { TUTTI_SPEC: spec, TUTTI_BUNDLE: bundle };
  const program = findEngine(env["PATH"] ?? "") ?? "";
  const site = { program, folder: join(home, "clusters"), stack: "dev", env: { ...env, ...more } };
  lay(site, { project: "tutti-roll", main: fileURLToPath(new URL("../../infra/index.ts", import.meta.url)), config });
  await makeStack(site);
  const log: string[] = [];
  const acts: Partial<Hands> = {};
  watch(there, log, () => self.onMachine?.());
  const self: RollingCluster = {
    ...{ there, site, log, acts, onMachine: undefined },
    async kill() {
      const engines = (await processesWith(home)).filter(({ argv }) => /^\S*pulumi up /.test(argv));
      for (const { pid } of engines) process.kill(pid, "SIGKILL");
    },
    async up(text, options = {}) {
      writeFileSync(spec, text);
      return await rollingUp(site, {
        spec: parse(text),
        hands: hands(log, acts),
        find: () => found(there),
        ...options,
      });
    },
    async nodes() {
      const all = await machines(there);
      return Object.fromEntries(all.map((one) => [tagOf(one, "tutti:node") ?? "", one.InstanceId ?? ""]));
    },
    async gone() {
      await there.stop();
      await rm(home, { recursive: true, force: true, maxRetries: 5 });
    },
  };
  return self;
}

const parse = (text: string): ClusterSpec => parseCluster(text);

function hands(log: string[], acts: Partial<Hands>): Hands {
  const act =
    (what: keyof Hands): Hands["ready"] =>
    async (turn, stop) => {
      log.push(`${what} ${turn.node}`);
      await acts[what]?.(turn, stop);
    };
  return { ready: act("ready"), drain: act("drain") };
}

/** Machines come and go: as EC2 has done it, and before the engine hears of it. */
function watch(there: Ground, log: string[], onDone: () => Promise<void> | void): void {
  const known = new Map<string, string>();
  there.api.faults.onDone(async ({ action }) => {
    if (action !== "RunInstances" && action !== "TerminateInstances") return;
    const now = new Map((await machines(there)).map((one) => [one.InstanceId ?? "", tagOf(one, "tutti:node") ?? ""]));
    for (const [id, node] of now) if (!known.has(id)) log.push(`run ${node}`);
    for (const [id, node] of known) if (!now.has(id)) log.push(`end ${node}`);
    known.clear();
    for (const [id, node] of now) known.set(id, node);
    await onDone();
  });
}

async function found({ api }: Ground) {
  const credentials = { accessKeyId: "test", secretAccessKey: "test" };
  const account = await openAccount({ region: "eu-central-1", endpoint: api.url, credentials });
  try {
    return (await findMachines(account, "roll")).filter(({ stack }) => stack === "dev");
  } finally {
    account.close();
  }
}
