import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync, renameSync, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../fault.ts";
import { lastWords } from "./lastWords.ts";
import { type Place, projectFile } from "./place.ts";
import { portHint } from "./ports.ts";

/** A component as the agent's status file tells of it. */
export interface ComponentStatus {
  name: string;
  state: "starting" | "ready" | "failing" | "stopping";
  code?: string;
  reason?: string;
  hint?: string;
}

export interface AgentStatus {
  pid: number;
  components: ComponentStatus[];
}

/** The agent that runs for this place, if one does. */
export function runningAgent(place: Place): AgentStatus | undefined {
  const status = readStatus(place);
  return status && isAgent(status.pid, place) ? status : undefined;
}

function readStatus(place: Place): AgentStatus | undefined {
  try {
    return JSON.parse(readFileSync(place.statusFile, "utf8")) as AgentStatus;
  } catch {
    return undefined;
  }
}

/** A pid alone proves nothing after a reboot: its command line must be that of our agent. */
function isAgent(pid: number, place: Place): boolean {
  try {
    if (!alive(pid)) return false;
    if (!existsSync("/proc/self/cmdline")) return true;
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(place.nodeFile);
  } catch {
    return false;
  }
}

/** Starts the agent apart from this process: a Ctrl-C here must reach it through us, in order. Resolves to its pid. */
export async function startAgent(place: Place): Promise<number> {
  turnOver(place.logFile);
  const log = openSync(place.logFile, "a", 0o600);
  // The first user's password is no business of the agent, nor of the apps that inherit its environment.
  const { TUTTI_PASSWORD: _ours, STACKATO_PASSWORD: _theirs, ...env } = process.env;
  const child = spawn(process.execPath, [projectFile("agent/main.ts"), place.nodeFile], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...env, NODE_NO_WARNINGS: "1" },
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once("spawn", () => resolve(child.pid ?? 0));
    child.once("error", reject);
  });
  child.unref();
  // From here on others who look find it.
  while (alive(pid) && readStatus(place)?.pid !== pid) await sleep(20);
  return pid;
}

/** A log that has grown large begins anew; the one before is kept. */
function turnOver(logFile: string): void {
  if (existsSync(logFile) && statSync(logFile).size > 16 * 2 ** 20) renameSync(logFile, `${logFile}.1`);
}

export interface Watch {
  /** Told once of each component that became ready. */
  onReady: (name: string) => void;
  stop?: AbortSignal;
  /** The cluster.yaml that was named; without one it is that of the example. */
  file?: string | undefined;
}

/** Another start would meet the same: there is nothing to wait for. */
const final = ["port_in_use", "port_not_allowed", "address_not_here", "not_listening", "cannot_listen"];

/** Resolves when every component of the agent is ready. Rejects when one cannot be, or when the agent ends. */
export async function agentReady(place: Place, pid: number, { onReady, stop, file }: Watch): Promise<void> {
  const told = new Set<string>();
  const deadline = Date.now() + 60_000;
  while (!stop?.aborted) {
    const status = readStatus(place);
    const components = status?.pid === pid ? status.components : [];
    for (const { name } of components.filter((one) => one.state === "ready" && !told.has(one.name))) {
      told.add(name);
      onReady(name);
    }
    const failing = components.find((one) => one.state === "failing");
    if (failing && (final.includes(failing.code ?? "") || Date.now() > deadline))
      throw componentFault(failing, place, file);
    if (components.length > 0 && components.every((one) => one.state === "ready")) return;
    if (!alive(pid)) throw agentFault("the agent ended while it was starting", place);
    if (Date.now() > deadline) throw agentFault(`${notReady(components)} after 60 s`, place);
    await sleep(20);
  }
}

function notReady(components: readonly ComponentStatus[]): string {
  const late = components.filter((one) => one.state !== "ready").map((one) => one.name);
  return late.length > 0 ? `${late.join(", ")} not ready` : "no component is ready";
}

function componentFault({ name, reason, hint, code }: ComponentStatus, place: Place, file?: string): Fault {
  return new Fault(`${name} cannot start: ${reason}`, {
    code: code ?? "component_failed",
    hint: (code === "port_in_use" && portHint(name, file)) || (hint ?? `see ${place.logFile}`),
  });
}

export function agentFault(message: string, place: Place): Fault {
  const lines = existsSync(place.logFile) ? lastWords(readFileSync(place.logFile, "utf8")) : [];
  return new Fault([message, ...lines].join("\n  "), { code: "agent_failed", hint: `the whole log: ${place.logFile}` });
}

/** Resolves when this agent has ended: true when every component was stopped before, false when it was cut short. */
export async function agentGone(place: Place, pid: number): Promise<boolean> {
  while (alive(pid)) await sleep(250);
  const left = readStatus(place);
  return left?.pid !== pid || left.components.length === 0;
}

/** One that has ended and that nobody has buried (a container's first process may not) is not alive. */
export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    const stat = `/proc/${pid}/stat`;
    return !existsSync(stat) || !/\) Z /.test(readFileSync(stat, "utf8"));
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** Asks the agent to stop and resolves when it is gone. Told of each component that has ended. */
export async function stopAgent(place: Place, pid: number, onEnded: (name: string) => void): Promise<void> {
  const status = readStatus(place);
  let before = status?.pid === pid ? status.components.map((one) => one.name) : [];
  if (alive(pid)) process.kill(pid, "SIGTERM");
  const deadline = Date.now() + 60_000;
  while (alive(pid)) {
    const now = readStatus(place)?.components.map((one) => one.name) ?? [];
    for (const name of before.filter((one) => !now.includes(one)).reverse()) onEnded(name);
    before = now;
    if (Date.now() > deadline) throw agentFault("the agent has not stopped after 60 s", place);
    await sleep(20);
  }
  for (const name of before.reverse()) onEnded(name);
}
