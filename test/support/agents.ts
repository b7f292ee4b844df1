import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { makeClaim } from "../../pki/claim.ts";
import type { RoleName } from "../../roles/role.ts";
import { newAuthority } from "./joined.ts";
import { freePort } from "./nats.ts";
import { processesOf } from "./processes.ts";
import { run } from "./solo.ts";
import { toolsBin } from "./tools.ts";
import { until } from "./until.ts";

const main = fileURLToPath(new URL("../../agent/main.ts", import.meta.url));
const bin = fileURLToPath(new URL("../../bin/tutti.mjs", import.meta.url));

/** A line of an agent's status file. */
export interface StatusLine {
  name: string;
  state: string;
  code?: string;
  reason?: string;
  hint?: string;
}

/** A machine with one agent, which has a loopback address for its own. */
export interface TestAgent {
  readonly id: string;
  readonly address: string;
  readonly home: string;
  pid(): number | undefined;
  status(): StatusLine[];
  log(): string;
  /** What must never leave it. */
  secrets(): string[];
  start(): void;
  /** Until every component says so. */
  ready(): Promise<void>;
  /** kill -9: what lived under it is left alone. */
  kill(): Promise<void>;
  stop(): Promise<void>;
}

/** A cluster of several machines, all of them this one. */
export interface AgentCluster {
  /** The first of the cores. */
  readonly core: TestAgent;
  readonly cores: readonly TestAgent[];
  readonly home: string;
  readonly api: string;
  readonly router: number;
  readonly domain: string;
  /** Delivers the cluster's identity to its cores. */
  identity(): void;
  /** Another machine; not started. */
  machine(id: string, roles: readonly RoleName[], changes?: object): TestAgent;
  /** The license step on the core's loopback, and a session. */
  login(): Promise<void>;
  json<T = Record<string, unknown>>(...args: string[]): Promise<T>;
  remove(): Promise<void>;
}

const leading: readonly RoleName[] = ["core", "controller", "health", "router", "stager"];
const user = { email: "me@example.test", password: "correct horse battery" };

export interface AgentClusterOptions {
  /** Milliseconds. */
  beat?: number;
  /** Roles of each core. Default: one with all leading roles. */
  cores?: readonly (readonly RoleName[])[];
}

/** The machines of its cores exist; their agents are not started. */
export async function agentCluster(options: AgentClusterOptions = {}): Promise<AgentCluster> {
  const { beat = 1000, cores: wanted = [leading] } = options;
  const home = mkdtempSync(join(tmpdir(), "tutti-joined-"));
  // Apps run as users of their own, who must be able to pass.
  chmodSync(home, 0o711);
  const authority = newAuthority("trio");
  const [third, fourth] = [1 + Math.floor(Math.random() * 250), Math.floor(Math.random() * 250)];
  const address = (n: number) => `127.${third}.${fourth}.${n + 2}`;
  const [router, controller, nats, routes] = [await freePort(), await freePort(), await freePort(), await freePort()];
  const ports = { router, controller, nats, routes, files: 0 };
  const domain = "tutti.localhost";
  const agents: TestAgent[] = [];
  // Instances of other clusters and of our other nodes must not meet.
  const first = 20_000 + Math.floor(Math.random() * 80) * 100;
  const machine: AgentCluster["machine"] = (id, roles, changes = {}) => {
    const index = agents.length;
    const place = join(home, id);
    mkdirSync(place, { mode: 0o711 });
    const instances = { first: first + 30 * index, last: first + 30 * index + 29 };
    const claim = makeClaim({ join: authority.join, node: id, roles, now: Date.now() });
    const joining = {
      cores: wanted.map((_roles, i) => address(i)),
      ca: authority.certificate,
      claim,
      instance: `i-${id}`,
    };
    const spec = {
      ...{ id, cluster: "trio", domain, roles, index, address: address(index), beat, home: join(place, "node") },
      ...{ tools: toolsBin, memory: 2048, disk: 4096, bind: "127.0.0.1" },
      ...{ ports: { ...ports, instances }, join: joining, ...changes },
    };
    const one = agent(spec, place);
    agents.push(one);
    return one;
  };
  const cores = wanted.map((roles, i) => machine(`lead-${i}`, roles));
  const [core] = cores as [TestAgent];
  const api = `http://api.${domain}:${ports.router}`;
  const env = { ...process.env, TUTTI_HOME: join(home, "person"), TUTTI_PASSWORD: user.password, NO_COLOR: "1" };
  const json = async <T>(...args: string[]): Promise<T> => {
    const ran = await run(process.execPath, [bin, ...args, "--json"], { env });
    if (ran.code !== 0) throw new Error(`tutti ${args.join(" ")} ended with ${ran.code}:\n${ran.error}${ran.out}`);
    return JSON.parse(ran.out.trim().split("\n").at(-1) ?? "") as T;
  };
  return {
    ...{ core, cores, home, api, router: ports.router, domain, machine, json },
    identity() {
      for (const one of cores) {
        const directory = join(one.home, "identity");
        mkdirSync(directory, { recursive: true, mode: 0o700 });
        writeFileSync(join(directory, "authority.json"), JSON.stringify(authority), { mode: 0o600 });
      }
    },
    async login() {
      const url = `http://127.0.0.1:${ports.controller}/stackato/license`;
      const body = new URLSearchParams({ ...user, unix_password: user.password });
      const answer = await fetch(url, { method: "POST", body });
      if (answer.status !== 201) throw new Error(`the license step: ${answer.status} ${await answer.text()}`);
      await json("target", api);
      await json("login", user.email);
    },
    async remove() {
      await Promise.all(agents.map((one) => one.stop()));
      for (const pid of processesOf(home)) process.kill(pid, "SIGKILL");
      rmSync(home, { recursive: true, force: true });
    },
  };
}

interface AgentSpec {
  id: string;
  address: string;
  home: string;
  join: { claim: { secret: string } };
}

function agent(spec: AgentSpec, place: string): TestAgent {
  const [file, logFile] = [join(place, "node.json"), join(place, "agent.log")];
  writeFileSync(file, JSON.stringify(spec), { mode: 0o600 });
  const statusFile = join(spec.home, "status.json");
  let child: ChildProcess | undefined;
  const end = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    child.kill(signal);
    await once(child, "exit");
  };
  const status = (): StatusLine[] => {
    if (!existsSync(statusFile)) return [];
    const said = JSON.parse(readFileSync(statusFile, "utf8")) as { pid: number; components: StatusLine[] };
    return said.pid === child?.pid ? said.components : [];
  };
  const told = () => status().map(({ name, state, reason = "" }) => `${name} ${state} ${reason}`);
  return {
    ...{ id: spec.id, address: spec.address, home: spec.home, status },
    pid: () => child?.pid,
    log: () => (existsSync(logFile) ? readFileSync(logFile, "utf8") : ""),
    secrets() {
      const text = (name: string) => readFileSync(join(spec.home, "identity", name), "utf8");
      const { join: told } = spec;
      return [text("node.nk").trim(), text("tls.key").split("\n")[1] ?? "", told.claim.secret];
    },
    start() {
      const log = openSync(logFile, "a", 0o600);
      child = spawn(process.execPath, [main, file], { stdio: ["ignore", log, log] });
    },
    async ready() {
      const all = () => status().length > 1 && status().every(({ state }) => state === "ready");
      await until(all, { what: `${spec.id} is ready` }).catch((error: Error) => {
        throw new Error(`${error.message}: ${told().join("; ")}\n${readFileSync(logFile, "utf8").slice(-3000)}`);
      });
    },
    kill: () => end("SIGKILL"),
    stop: () => end("SIGTERM"),
  };
}
