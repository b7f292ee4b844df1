import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { sleep } from "../../agent/run/sleep.ts";
import { signal } from "../room/ending.ts";
import { childGroups, groupsOf, removeGroups } from "../room/groups.ts";
import { type Hierarchy, hierarchies, memoryTree } from "../room/hierarchies.ts";
import { MachineFailed } from "./failed.ts";
import { freezing, limitsOf, passedOn, type Setting } from "./limits.ts";
import type { MachineMemory } from "./machine.ts";

/** The control groups of a machine, one in each tree, seen as one. */
export interface Group {
  /** Whoever writes its number into each of these is in the group. */
  readonly doors: readonly string[];
  freeze(frozen: boolean): Promise<void>;
  memory(): MachineMemory;
  /** Kills all that is in it. */
  kill(): void;
  /** True when nothing is left of it. */
  remove(): Promise<boolean>;
}

/** Makes the control groups of a machine. `memory`: MiB. */
export function makeGroup(room: string, machine: string, memory: number): Group {
  const trees = hierarchies();
  const path = (tree: Hierarchy) => groupsOf(tree.path, room, machine);
  for (const tree of trees) prepare(tree, path(tree), memory);
  const freezer = trees.find(({ controllers }) => controllers.includes("freezer")) ?? trees.find(({ v2 }) => v2);
  const accounts = memoryTree(trees);
  return {
    doors: trees.map((tree) => join(path(tree), "cgroup.procs")),
    freeze: (frozen) => (freezer ? setFrozen(freezer, path(freezer), frozen) : noFreezer()),
    memory: () => memoryIn(accounts ? read(join(path(accounts), "memory.stat")) : ""),
    kill: () => {
      for (const tree of trees) killIn(path(tree));
    },
    remove: () => removeGroups(room, machine),
  };
}

/** Makes the group, then sets it up from the top: a group has what the one above passes on. */
function prepare(tree: Hierarchy, path: string, memory: number): void {
  // All at once: an empty group of ours is removed by any room that ends meanwhile.
  mkdirSync(path, { recursive: true });
  const whole = [dirname(dirname(path)), dirname(path), path];
  if (tree.v2) for (const group of [tree.path, ...whole.slice(0, -1)]) passOn(group);
  // Groups of version 1 begin without any processor, and take nobody in.
  if (tree.controllers.includes("cpuset")) for (const group of whole) inherit(group);
  for (const setting of limitsOf(tree, memory)) write(path, setting);
}

function inherit(group: string): void {
  for (const file of ["cpuset.cpus", "cpuset.mems"])
    writeFileSync(join(group, file), readFileSync(join(dirname(group), file)));
}

function write(path: string, { file, value, optional }: Setting): void {
  try {
    writeFileSync(join(path, file), value);
  } catch (error) {
    if (!optional) throw error;
  }
}

/** One by one: a kernel without one of them refuses the whole line. */
function passOn(group: string): void {
  for (const controller of passedOn) {
    try {
      writeFileSync(join(group, "cgroup.subtree_control"), `+${controller}`);
    } catch {
      // Not here; the memory's absence is found by `lacks`.
    }
  }
}

async function setFrozen(tree: Hierarchy, path: string, frozen: boolean): Promise<void> {
  const { set, value, watch, said } = freezing(tree, frozen);
  writeFileSync(join(path, set), value);
  const deadline = performance.now() + 10_000;
  while (!said.test(readFileSync(join(path, watch), "utf8"))) {
    if (performance.now() > deadline)
      throw new MachineFailed(`the machine could not be ${frozen ? "frozen" : "thawed"} within 10 s`, {
        code: "not_frozen",
      });
    await sleep(5);
  }
}

function noFreezer(): never {
  throw new MachineFailed("this kernel has no freezer of control groups", { code: "no_freezer" });
}

/** The text of memory.stat → what of it is processes' and what is files'. */
export function memoryIn(stat: string): MachineMemory {
  const value = (...keys: string[]) => {
    const found = keys.map((key) => new RegExp(`^${key} (\\d+)$`, "m").exec(stat)?.[1]).find(Boolean);
    return Math.round(Number(found ?? 0) / 2 ** 20);
  };
  return { resident: value("total_rss", "anon"), cache: value("total_cache", "file") };
}

function killIn(path: string): void {
  for (const child of childGroups(path)) killIn(child);
  for (const pid of processesIn(path)) signal(pid, "SIGKILL");
}

function processesIn(path: string): number[] {
  return read(join(path, "cgroup.procs")).split("\n").map(Number).filter(Boolean);
}

/** Nothing of a group that went with its last process. */
function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
