import { type ChildProcess, spawn } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const project = fileURLToPath(new URL("../..", import.meta.url));

/** What `tutti solo up --json` prints. */
export interface SoloFacts {
  api: string;
  router: string;
  domain: string;
  email: string;
  password: string;
  nats: { url: string; user: string; password: string };
}

export interface Ran {
  code: number;
  out: string;
  error: string;
}

/** A real cluster on this machine in a home of its own, on ports of its own. */
export interface Solo extends SoloFacts {
  readonly home: string;
  readonly spec: string;
  /** Runs `tutti …` as a person would. */
  tutti(...args: string[]): Promise<Ran>;
  /** The same, and its last line as JSON; throws with what was printed when it fails. */
  json<T = Record<string, unknown>>(...args: string[]): Promise<T>;
  agentPid(): number;
  /** A GET through the router, by host name. */
  get(host: string, path?: string, headers?: Record<string, string>): Promise<Page>;
  up(): Promise<void>;
  down(): Promise<void>;
  /** Stops the cluster and removes its home. */
  remove(): Promise<void>;
}

export interface Page {
  status: number;
  body: string;
  headers: Record<string, string | string[] | undefined>;
}

export interface SoloSettings {
  beat?: number;
  /** Lines added to cluster.yaml. */
  extra?: string;
  env?: NodeJS.ProcessEnv;
}

/** Stands up a cluster; its ports are free ones. */
export async function soloCluster({ beat = 1000, extra = "", env: more = {} }: SoloSettings = {}): Promise<Solo> {
  const home = mkdtempSync(join(tmpdir(), "tutti-solo-"));
  // Apps run as users of their own, who must be able to pass.
  chmodSync(home, 0o711);
  const spec = join(home, "cluster.yaml");
  writeFileSync(spec, clusterYaml(beat, extra));
  const env = { ...process.env, TUTTI_HOME: home, NO_COLOR: "1", ...more };
  const tutti = (...args: string[]) => run(process.execPath, [join(project, "bin/tutti.mjs"), ...args], { env });
  const json = async <T>(...args: string[]) => lastJson<T>(await tutti(...args, "--json"), args);
  const facts = {} as SoloFacts;
  const up = async () => void Object.assign(facts, await json<SoloFacts>("solo", "up", "--detach", "--spec", spec));
  const down = async () => void (await json("solo", "down"));
  try {
    await up();
  } catch (error) {
    await tutti("solo", "down");
    throw error;
  }
  const get = (host: string, path = "/", headers: Record<string, string> = {}) =>
    fetchPage({ facts, host, path, headers });
  const agentPid = () => (JSON.parse(readFileSync(join(home, "solo/node/status.json"), "utf8")) as { pid: number }).pid;
  const remove = async () => {
    await down().catch(() => {});
    rmSync(home, { recursive: true, force: true });
  };
  return Object.assign(facts, { home, spec, tutti, json, get, agentPid, up, down, remove });
}

function clusterYaml(beat: number, extra: string): string {
  // Instances of clusters of other tests must not meet ours.
  const first = 20_000 + Math.floor(Math.random() * 120) * 100;
  return `name: test
domain: tutti.localhost
beat: ${beat}
ports: { router: 0, controller: 0, nats: 0, files: 0, instances: "${first}-${first + 99}" }
nodes:
  - { name: all, roles: [core, controller, health, router, stager, dea], memory: 4096, disk: 8192 }
${extra}`;
}

export function run(
  command: string,
  args: string[],
  options: { env?: NodeJS.ProcessEnv; cwd?: string } = {},
): Promise<Ran> {
  const child: ChildProcess = spawn(command, args, { ...options, stdio: ["ignore", "pipe", "pipe"] });
  const ran: Ran = { code: 1, out: "", error: "" };
  child.stdout?.setEncoding("utf8").on("data", (chunk: string) => (ran.out += chunk));
  child.stderr?.setEncoding("utf8").on("data", (chunk: string) => (ran.error += chunk));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve({ ...ran, code: code ?? 1 }));
  });
}

function lastJson<T>(ran: Ran, args: string[]): T {
  const line = ran.out.trim().split("\n").at(-1) ?? "";
  if (ran.code !== 0) throw new Error(`tutti ${args.join(" ")} ended with ${ran.code}:\n${ran.error}${ran.out}`);
  return JSON.parse(line) as T;
}

interface Fetch {
  facts: SoloFacts;
  host: string;
  path: string;
  headers: Record<string, string>;
}

function fetchPage({ facts, host, path, headers }: Fetch): Promise<Page> {
  const { port } = new URL(facts.router);
  return new Promise((resolve, reject) => {
    const asked = request(
      { host: "127.0.0.1", port, path, headers: { host: `${host}:${port}`, ...headers } },
      (answer) => {
        let body = "";
        answer.setEncoding("utf8").on("data", (chunk: string) => (body += chunk));
        answer.once("end", () => resolve({ status: answer.statusCode ?? 0, body, headers: answer.headers }));
        answer.once("error", reject);
      },
    );
    asked.once("error", reject);
    asked.end();
  });
}

/** Asks again until the answer is what is waited for; the last one is in the error when it never is. */
export async function until<T>(ask: () => Promise<T> | T, good: (answer: T) => unknown, patience = 40_000): Promise<T> {
  const deadline = Date.now() + patience;
  for (;;) {
    const answer = await ask();
    if (good(answer)) return answer;
    if (Date.now() > deadline) throw new Error(`waited ${patience} ms in vain; the last answer: ${ends(answer)}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

/** The beginning and the end of an answer, which may be a megabyte of log. */
function ends(answer: unknown): string {
  const text = JSON.stringify(answer) ?? String(answer);
  return text.length < 4000 ? text : `${text.slice(0, 2000)} … ${text.slice(-2000)}`;
}
