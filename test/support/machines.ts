import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { silent } from "../../agent/run/log.ts";
import { cachedImage, ensureImage } from "../../rehearsal/image/image.ts";
import type { Ended, MachineMemory, MachinePlan } from "../../rehearsal/machines/machine.ts";
import { nspawnMachine } from "../../rehearsal/machines/nspawn.ts";
import { lacks } from "../../rehearsal/room/lacks.ts";
import { run } from "../../rehearsal/room/programs.ts";
import { enterRoom, type Room } from "../../rehearsal/room/room.ts";
import { until } from "./until.ts";

/** Why machines can't be tested here: it stands in what vitest prints. What set-up brings has to be there. */
export const noMachines = (await lacks())
  .filter(({ hint }) => !hint.includes("setup.mjs"))
  .map(({ what, why }) => `${what}: ${why}`)
  .join("; ");
if (noMachines) process.stderr.write(`machines are not tested here: ${noMachines}\n`);

/** All processes that a process has started, and those that these have. */
export function descendants(pid: number): number[] {
  const parents = readdirSync("/proc").flatMap((name) => {
    try {
      const stat = /^\d+$/.test(name) ? readFileSync(`/proc/${name}/stat`, "utf8") : "";
      const parent = /\) \S (\d+)/.exec(stat)?.[1];
      return parent ? [[Number(name), Number(parent)] as const] : [];
    } catch {
      return [];
    }
  });
  const below = (one: number): number[] =>
    parents.filter(([, parent]) => parent === one).flatMap(([child]) => [child, ...below(child)]);
  return below(pid);
}

interface Call {
  readonly number: number;
  readonly machine: string;
  readonly act: string;
  readonly args: readonly unknown[];
}

/** A room with machines, driven from outside of it. */
export interface Machines {
  readonly room: Room;
  readonly folder: string;
  /** Makes a machine of this name, with a network of nothing but ens5, and without cloud-init unless it is asked for. */
  make(id: string, plan?: Partial<MachinePlan>): Promise<TestMachine>;
  close(): Promise<void>;
}

export interface TestMachine {
  readonly id: string;
  readonly folder: string;
  /** How it ended so far. */
  readonly ends: readonly Ended[];
  boot(): Promise<void>;
  shutdown(patience?: number): Promise<void>;
  kill(): Promise<void>;
  freeze(): Promise<void>;
  thaw(): Promise<void>;
  remove(): Promise<void>;
  state(): Promise<string>;
  memory(): Promise<MachineMemory>;
  run(...command: string[]): Promise<{ code: number; out: string }>;
  /** Resolves to what systemd says of itself once it has started all: `running` or `degraded`. */
  up(): Promise<string>;
}

const acts = ["boot", "shutdown", "kill", "freeze", "thaw", "remove", "state", "memory"] as const;

/** No cloud-init, and no sshd either, as cloud-init would make its keys. */
const bare = {
  "/etc/cloud/cloud-init.disabled": "",
  "/etc/systemd/system/ssh.service.d/keys.conf": "[Unit]\nConditionPathExistsGlob=/etc/ssh/ssh_host_*_key\n",
};

export async function openMachines(): Promise<Machines> {
  const { path: image } = cachedImage() ?? (await ensureImage({ log: silent }));
  const folder = mkdtempSync(join(tmpdir(), "tutti-machines-"));
  const script = fileURLToPath(import.meta.url);
  const stdio = ["pipe", "pipe", "inherit"] as const;
  const room = await enterRoom({ command: process.execPath, args: [script], folder, stdio: [...stdio] });
  const waiting = new Map<number, { resolve(value: unknown): void; reject(error: Error): void }>();
  const ends = new Map<string, Ended[]>();
  let count = 0;
  createInterface({ input: room.process.stdout as NodeJS.ReadableStream }).on("line", (line) => {
    const { number, value, error, machine, how } = JSON.parse(line);
    if (how) return void ends.get(machine)?.push(how);
    if (error) waiting.get(number)?.reject(Object.assign(new Error(error.message), error));
    else waiting.get(number)?.resolve(value);
    waiting.delete(number);
  });
  void room.exited.then(() => {
    for (const { reject } of waiting.values()) reject(new Error("the room is gone"));
  });
  const call = <T>(machine: string, act: string, ...args: unknown[]): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      const number = ++count;
      waiting.set(number, { resolve: resolve as (value: unknown) => void, reject });
      room.process.stdin?.write(`${JSON.stringify({ number, machine, act, args } satisfies Call)}\n`);
    });
  return {
    room,
    folder,
    async make(id, changes = {}) {
      const files = { ...bare, ...changes.files };
      const own = { id, mac: "02:00:00:00:00:01", memory: 1024, disk: 8, netns: `/run/netns/${id}` };
      const plan: MachinePlan = { ...own, folder: join(folder, id), image, ...changes, files };
      const heard: Ended[] = [];
      ends.set(id, heard);
      await call(id, "make", plan);
      const plain = Object.fromEntries(acts.map((act) => [act, (...args: unknown[]) => call(id, act, ...args)]));
      const inside = (...command: string[]) => call<{ code: number; out: string }>(id, "run", command);
      const more = { id, folder: plan.folder, ends: heard, run: inside, up: () => isUp(inside) };
      return { ...plain, ...more } as unknown as TestMachine;
    },
    async close() {
      room.process.stdin?.end();
      await room.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function isUp(inside: TestMachine["run"]): Promise<string> {
  let said = "";
  const asked = async () => {
    said = (await inside("systemctl", "is-system-running", "--wait")).out.trim();
    // Before it listens, there is no bus to ask it by.
    return /^(running|degraded)$/.test(said);
  };
  await until(asked, { what: "the machine is up" });
  return said;
}

/** What runs in the room: one JSON object a line, in and out. */
function drive(): void {
  const machines = new Map<string, ReturnType<typeof nspawnMachine>>();
  const say = (what: object) => process.stdout.write(`${JSON.stringify(what)}\n`);
  const make = async (plan: MachinePlan) => {
    await run("ip", ["netns", "add", plan.id]);
    const peer = ["peer", "name", "ens5", "address", plan.mac, "netns", plan.id];
    await run("ip", ["link", "add", `v-${plan.id.slice(-8)}`, "type", "veth", ...peer]);
    const machine = nspawnMachine(plan, silent);
    machine.onEnd((how) => say({ machine: plan.id, how }));
    machines.set(plan.id, machine);
  };
  const answer = async ({ machine: id, act, args }: Call): Promise<unknown> => {
    if (act === "make") return await make(args[0] as MachinePlan);
    const found = machines.get(id);
    if (act === "state") return found?.state;
    return await (found as unknown as Record<string, (...args: unknown[]) => unknown>)[act]?.(...args);
  };
  createInterface({ input: process.stdin }).on("line", (line) => {
    const call: Call = JSON.parse(line);
    answer(call).then(
      (value) => say({ number: call.number, value }),
      (error) => say({ number: call.number, error: { message: String(error.message), code: error.code } }),
    );
  });
}

if (import.meta.main) drive();
