import { readFileSync } from "node:fs";

/** A tree of control groups as this computer has it mounted. */
export interface Hierarchy {
  readonly path: string;
  /** Version 2 has one tree for all controllers; beside version 1 it may be there without any. */
  readonly v2: boolean;
  /** Version 1: the controllers of this tree; its own name for a tree without. Version 2: empty. */
  readonly controllers: readonly string[];
}

const known = ["memory", "pids", "cpu", "cpuacct", "cpuset", "devices", "freezer", "blkio"];

/** The text of /proc/self/mountinfo → the trees. Other controllers (huge pages, perf events) are nobody's need. */
export function hierarchiesIn(mountinfo: string): Hierarchy[] {
  const found = mountinfo.split("\n").flatMap((line): Hierarchy[] => {
    const [before = "", after = ""] = line.split(" - ");
    const path = unescaped(before.split(" ")[4] ?? "");
    const [type = "", , options = ""] = after.split(" ");
    if (type === "cgroup2") return [{ path, v2: true, controllers: [] }];
    if (type !== "cgroup") return [];
    const controllers = options.split(",").filter((each) => known.includes(each) || each === "name=systemd");
    return controllers.length > 0 ? [{ path, v2: false, controllers }] : [];
  });
  // Mounted twice, the last is what one sees.
  return [...new Map(found.map((each) => [each.path, each])).values()];
}

/** `\040` stands for a space. */
const unescaped = (path: string) =>
  path.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));

export function hierarchies(): Hierarchy[] {
  return hierarchiesIn(readFileSync("/proc/self/mountinfo", "utf8"));
}

/** The tree that limits memory: without it there are no machines. Undefined when no tree does. */
export function memoryTree(trees: readonly Hierarchy[]): Hierarchy | undefined {
  return trees.find(({ v2, controllers, path }) => (v2 ? offers(path, "memory") : controllers.includes("memory")));
}

function offers(path: string, controller: string): boolean {
  try {
    return readFileSync(`${path}/cgroup.controllers`, "utf8").trim().split(" ").includes(controller);
  } catch {
    return false;
  }
}
