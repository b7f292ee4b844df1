import { mkdirSync, rmSync } from "node:fs";
import type { Log } from "../../agent/run/log.ts";
import { attempt } from "../room/programs.ts";
import { forgetMachine, noteMachine } from "../room/records.ts";
import { placesOf } from "./command.ts";
import { makeDisk } from "./disk.ts";
import { MachineFailed } from "./failed.ts";
import { cut, type Life, lifeOf, shutDown, turnOn } from "./life.ts";
import type { Machine, MachinePlan } from "./machine.ts";
import type { Power } from "./power.ts";

/** As EC2: a machine that is asked to stop and does not is cut off. */
const patienceOfEc2 = 90_000;

/** A machine by systemd-nspawn: a real systemd and a disk of its own, on this computer's kernel. Only in a room. */
export function nspawnMachine(plan: MachinePlan, log: Log): Machine {
  const life = lifeOf(plan, placesOf(plan), log);
  const { inTurn, told, places } = life;
  return {
    id: plan.id,
    console: places.console,
    get state() {
      return life.state;
    },
    boot: () => inTurn(() => boot(life)),
    shutdown: (patience = patienceOfEc2) => inTurn(() => shutDown(life, patience)),
    kill: () => cut(life),
    freeze: () => inTurn(async () => on(life).group.freeze(true)),
    thaw: () => inTurn(async () => on(life).group.freeze(false)),
    onEnd: (listener) => {
      told.add(listener);
      return () => void told.delete(listener);
    },
    run: async (command) => attempt("nsenter", enter(await on(life).up, command), { env: insideEnv }),
    memory: () => life.power?.group.memory(),
    remove: async () => {
      await cut(life);
      await inTurn(() => remove(life));
    },
  };
}

async function boot(life: Life): Promise<void> {
  const { plan, places } = life;
  if (life.power) return;
  const room = roomOf();
  life.wanted = true;
  life.state = "booting";
  try {
    mkdirSync(plan.folder, { recursive: true, mode: 0o700 });
    noteMachine(room, plan.id, plan.folder);
    await makeDisk(plan, places);
  } catch (error) {
    life.state = "off";
    throw error;
  }
  await turnOn(life, room);
}

async function remove(life: Life): Promise<void> {
  // Booted again by what stood in turn before.
  await cut(life);
  rmSync(life.plan.folder, { recursive: true, force: true });
  forgetMachine(roomOf(), life.plan.id);
}

const insideEnv = { PATH: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin", HOME: "/root", LC_ALL: "C.UTF-8" };

function enter(leader: number, command: readonly string[]): string[] {
  const namespaces = ["--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup"];
  return ["--target", String(leader), ...namespaces, "--", ...command];
}

function on({ power }: Life): Power {
  if (power) return power;
  throw new MachineFailed("the machine is off", { code: "machine_off", hint: "boot it first" });
}

/** The room that we are in. */
function roomOf(): string {
  const room = process.env["TUTTI_ROOM"];
  if (room) return room;
  const hint = "start the program that makes machines with enterRoom";
  throw new MachineFailed("machines boot in a closed room only, and this is none", { code: "not_in_a_room", hint });
}
