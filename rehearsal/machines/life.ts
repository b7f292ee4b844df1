import type { Log } from "../../agent/run/log.ts";
import { sleep } from "../../agent/run/sleep.ts";
import type { Places } from "./command.ts";
import type { Ended, MachinePlan, MachineState } from "./machine.ts";
import { type Power, powerOn } from "./power.ts";

/** What a machine goes through from boot to boot. */
export interface Life {
  readonly plan: MachinePlan;
  readonly places: Places;
  readonly log: Log;
  readonly told: Set<(how: Ended) => void>;
  /** Does things one after the other, whatever becomes of them. */
  readonly inTurn: <T>(act: () => Promise<T>) => Promise<T>;
  state: MachineState;
  power: Power | undefined;
  /** What is asked for: else it would boot again when it is told to end while it reboots. */
  wanted: boolean;
}

export function lifeOf(plan: MachinePlan, places: Places, log: Log): Life {
  return {
    ...{ plan, places, log: log.child({ machine: plan.id }), told: new Set(), inTurn: turns() },
    ...{ state: "off", power: undefined, wanted: false },
  };
}

function turns(): Life["inTurn"] {
  let last: Promise<unknown> = Promise.resolve();
  return (act) => {
    const mine = last.then(act, act);
    last = mine.catch(() => {});
    return mine;
  };
}

/** Resolves when its first process runs. */
export async function turnOn(life: Life, room: string): Promise<void> {
  life.state = "booting";
  let power: Power | undefined;
  try {
    power = await powerOn(life, room);
    const mine = power;
    life.power = mine;
    void mine.ended.then((how) => onEnd(life, mine, how, room));
    // Asked to end while its disk was made ready.
    if (!life.wanted) await mine.cut();
    await mine.up;
    if (life.power === mine && life.state === "booting") life.state = "running";
  } catch (error) {
    await power?.ended;
    life.state = "off";
    throw error;
  }
}

function onEnd(life: Life, power: Power, how: Ended, room: string): void {
  if (life.power !== power) return;
  life.power = undefined;
  const again = how === "reboot" && life.wanted;
  life.state = again ? "booting" : "off";
  tell(life, how === "reboot" && !again ? "off" : how);
  if (!again) return;
  void life.inTurn(() => turnOnAgain(life, room));
}

async function turnOnAgain(life: Life, room: string): Promise<void> {
  if (life.power) return;
  if (!life.wanted) life.state = "off";
  else
    await turnOn(life, room).catch((error: unknown) => {
      life.log.error({ err: error }, "a machine did not boot again");
      // Cut off meanwhile, its end was told already.
      if (life.wanted) tell(life, "crashed");
    });
}

function tell(life: Life, how: Ended): void {
  life.log.info({ how }, "a machine ended");
  for (const listener of life.told) listener(how);
}

/** Cuts its power, whatever it is doing. */
export async function cut(life: Life): Promise<void> {
  life.wanted = false;
  const { power } = life;
  if (!power) return;
  if (!(await power.cut())) life.log.warn({}, "a power cut was gentle: what was not synced may have reached the disk");
  await power.ended;
}

/** Switches it off; after `patience` ms its power is cut. */
export async function shutDown(life: Life, patience: number): Promise<void> {
  life.wanted = false;
  const { power } = life;
  if (!power) return;
  life.state = "stopping";
  await power.group.freeze(false).catch(() => {});
  const over = new AbortController();
  const ended = power.ended.then(() => over.abort());
  const deadline = performance.now() + patience;
  while (!over.signal.aborted && performance.now() < deadline) {
    // Early in its boot it may not hear yet.
    power.askOff();
    await sleep(Math.min(2000, patience), over.signal);
  }
  if (!over.signal.aborted) {
    life.log.warn({ patience }, "a machine does not switch off: its power is cut");
    await power.cut();
  }
  await ended;
}
