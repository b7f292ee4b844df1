import { spawn } from "node:child_process";
import { existsSync, openSync, readFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { Fault } from "../fault.ts";
import { type Place, projectFile } from "./place.ts";

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
    process.kill(pid, 0);
    if (!existsSync("/proc/self/cmdline")) return true;
    return readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0").includes(place.nodeFile);
  } catch {
    return false;
  }
}

/** Starts the agent apart from this process: a Ctrl-C here must reach it through us, in order. Resolves to its pid. */
export async function startAgent(place: Place): Promise<number> {
  const log = openSync(place.logFile, "a", 0o600);
  const child = spawn(process.execPath, [projectFile("agent/main.ts"), place.nodeFile], {
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...process.env, NODE_NO_WARNINGS: "1" },
  });
  const pid = await new Promise<number>((resolve, reject) => {
    child.once("spawn", () => resolve(child.pid ?? 0));
    child.once("error", reject);
  });
  child.unref();
  return pid;
}

export interface Watch {
  /** Told once of each component that became ready. */
  onReady: (name: string) => void;
  stop?: AbortSignal;
}

/** Resolves when every component of the agent is ready. Rejects when one cannot be, or when the agent ends. */
export async function agentReady(place: Place, pid: number, { onReady, stop }: Watch): Promise<void> {
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
    if (failing && (failing.code === "port_in_use" || Date.now() > deadline)) throw componentFault(failing, place);
    if (components.length > 0 && components.every((one) => one.state === "ready")) return;
    if (!isAgent(pid, place) && !readStatus(place)?.pid) await sleep(50);
    else if (!alive(pid)) throw agentFault("the agent ended while it was starting", place);
    if (Date.now() > deadline) throw agentFault("the components are not ready after 60 s", place);
    await sleep(20);
  }
}

function componentFault({ name, reason, hint, code }: ComponentStatus, place: Place): Fault {
  return new Fault(`${name} cannot start: ${reason}`, {
    code: code ?? "component_failed",
    hint: hint ?? `see ${place.logFile}`,
  });
}

function agentFault(message: string, place: Place): Fault {
  const lines = existsSync(place.logFile) ? readFileSync(place.logFile, "utf8").trim().split("\n").slice(-5) : [];
  return new Fault([message, ...lines].join("\n  "), { code: "agent_failed", hint: `the whole log: ${place.logFile}` });
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** Asks the agent to stop and resolves when it is gone. Told of each component that has ended. */
export async function stopAgent(place: Place, pid: number, onEnded: (name: string) => void): Promise<void> {
  let before = readStatus(place)?.components.map((one) => one.name) ?? [];
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
