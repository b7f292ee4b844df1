import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { Ended, Machine, MachinePlan, MachineState } from "../../rehearsal/machines/machine.ts";

/** A machine that boots nothing: a test says what happens to it. */
export interface FakeMachine extends Machine {
  readonly plan: MachinePlan;
  /** How often it was booted. */
  readonly boots: number;
  /** Ends by itself. */
  happens(how: Ended): void;
  prints(text: string): void;
}

export interface FakeWays {
  /** Milliseconds that a boot takes. */
  readonly slow?: number;
  /** So many boots fail. */
  readonly broken?: number;
}

export function fakeMachine(plan: MachinePlan, ways: FakeWays = {}): FakeMachine {
  const listeners = new Set<(how: Ended) => void>();
  const disk = join(plan.folder, "disk");
  const console = join(plan.folder, "console.log");
  let state: MachineState = "off";
  let boots = 0;
  const end = (how: Ended) => {
    if (state === "off") return;
    state = "off";
    for (const listener of listeners) listener(how);
  };
  return {
    id: plan.id,
    plan,
    console,
    get state() {
      return state;
    },
    get boots() {
      return boots;
    },
    async boot() {
      boots++;
      state = "booting";
      mkdirSync(plan.folder, { recursive: true });
      writeFileSync(disk, "", { flag: "a" });
      for (let left = ways.slow ?? 0; left > 0 && state === "booting"; left -= 20) await sleep(20);
      if (boots <= (ways.broken ?? 0)) end("crashed");
      if (state !== "booting") throw new Error("it does not boot");
      state = "running";
      appendFileSync(console, `boot ${boots}\n`);
    },
    async shutdown() {
      end("off");
    },
    async kill() {
      end("crashed");
    },
    async freeze() {},
    async thaw() {},
    onEnd(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    run: async () => ({ code: 0, out: "" }),
    memory: () => undefined,
    async remove() {
      end("crashed");
      rmSync(plan.folder, { recursive: true, force: true });
    },
    happens(how) {
      end(how);
      if (how === "reboot") state = "running";
    },
    prints: (text) => appendFileSync(console, text),
  };
}
