import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, openSync, readFileSync, writeFileSync } from "node:fs";
import type { Log } from "../../agent/run/log.ts";
import { sleep } from "../../agent/run/sleep.ts";
import { signal } from "../room/ending.ts";
import { programPath } from "../room/programs.ts";
import { nspawnCommand, nspawnEnv, type Places, powerOff, rebootCode } from "./command.ts";
import { cutDisk, mount, unmount } from "./disk.ts";
import { hypervisorUuid, memoryFacts } from "./facts.ts";
import { MachineFailed } from "./failed.ts";
import { type Group, makeGroup } from "./group.ts";
import { firstOf } from "./leader.ts";
import type { Ended, MachinePlan } from "./machine.ts";

/** A machine that has power: one boot of it, from the beginning to the end. */
export interface Power {
  readonly group: Group;
  /** Its first process; undefined until that is systemd. */
  readonly leader: number | undefined;
  /** Resolves when its first process runs; rejects when it ended before. */
  readonly up: Promise<number>;
  /** How it ended, once all is put away: mounts, control groups, loop device. */
  readonly ended: Promise<Ended>;
  /** Asks systemd to switch off; more than once does no harm. */
  askOff(): void;
  /** Cuts the power. False when the disk could not be cut off with it: what was not synced may still have reached it. */
  cut(): Promise<boolean>;
}

export interface PowerOptions {
  readonly plan: MachinePlan;
  readonly places: Places;
  readonly log: Log;
}

export async function powerOn({ plan, places, log }: PowerOptions, room: string): Promise<Power> {
  mkdirSync(places.root, { recursive: true, mode: 0o700 });
  writeFileSync(places.uuid, hypervisorUuid(plan.id));
  writeFileSync(places.meminfo, memoryFacts(readFileSync("/proc/meminfo", "utf8"), plan.memory));
  await mount(places.disk, places.root);
  const group = makeGroup(room, plan.id, plan.memory);
  const proc = spawnMachine(plan, places, group);
  let leader: number | undefined;
  let lost = false;
  const up = leaderOf(proc, places).then((pid) => {
    leader = pid;
    return pid;
  });
  up.catch(() => {});
  const cut = async () => {
    lost = true;
    const whole = await cutDisk(places.root);
    // It may not be in its group yet.
    proc.kill("SIGKILL");
    group.kill();
    // What is frozen dies when it thaws.
    await group.freeze(false).catch(() => {});
    return whole;
  };
  const ended = endOf(proc).then(async (code) => {
    // nspawn may have been killed by somebody else; its machine would run on.
    group.kill();
    await putAway(places, group).catch((error) => log.warn({ err: error }, "a machine left something behind"));
    if (lost) return "crashed";
    return code === rebootCode ? "reboot" : code === 0 ? "off" : "crashed";
  });
  return {
    group,
    up,
    ended,
    cut,
    get leader() {
      return leader;
    },
    askOff: () => signal(leader, powerOff),
  };
}

function spawnMachine(plan: MachinePlan, places: Places, group: Group): ChildProcess {
  const nspawn = programPath("systemd-nspawn") ?? "systemd-nspawn";
  const [program = "", ...args] = nspawnCommand(plan, nspawn, group.doors);
  const output = openSync(places.console, "a", 0o600);
  try {
    const env = { PATH: process.env["PATH"], ...nspawnEnv };
    return spawn(program, args, { env, stdio: ["ignore", output, output] });
  } finally {
    closeSync(output);
  }
}

async function leaderOf(proc: ChildProcess, places: Places): Promise<number> {
  while (proc.exitCode === null && proc.signalCode === null && proc.pid) {
    const found = firstOf(proc.pid);
    if (found) return found;
    await sleep(10);
  }
  const said = readFileSync(places.console, "utf8").trim().split("\n").slice(-5).join(" | ");
  throw new MachineFailed(`the machine ended before its first process ran: ${said || "it printed nothing"}`, {
    ...{ code: "not_booted", hint: `what it printed is in ${places.console}` },
  });
}

async function endOf(proc: ChildProcess): Promise<number | null> {
  const [code] = await once(proc, "exit").catch(() => [null]);
  return code;
}

async function putAway(places: Places, group: Group): Promise<void> {
  await unmount(places.root);
  await group.remove();
}
