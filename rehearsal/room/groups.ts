import { readdirSync, rmdirSync } from "node:fs";
import { join } from "node:path";
import { sleep } from "../../agent/run/sleep.ts";
import { hierarchies } from "./hierarchies.ts";

/** Below every tree of control groups: where rooms have theirs. */
export const groupsOf = (tree: string, room: string, machine = ""): string => join(tree, "tutti", room, machine);

/**
 * Removes control groups and all below them; those of the last room take the common one along. Processes that were
 * killed leave theirs a moment later, so it tries for `within` ms. True when nothing is left.
 */
export async function removeGroups(room: string, machine = "", within = 5000): Promise<boolean> {
  const deadline = performance.now() + within;
  const trees = hierarchies().map(({ path }) => path);
  for (;;) {
    const left = trees.filter((tree) => !removeTree(groupsOf(tree, room, machine)));
    if (machine === "") for (const tree of trees) removeEmpty(join(tree, "tutti"));
    if (left.length === 0) return true;
    if (performance.now() > deadline) return false;
    await sleep(20);
  }
}

/** True when it is not there any more. */
function removeTree(path: string): boolean {
  for (const child of childGroups(path)) removeTree(child);
  return removeEmpty(path);
}

export function childGroups(path: string): string[] {
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    return entries.filter((entry) => entry.isDirectory()).map(({ name }) => join(path, name));
  } catch {
    return [];
  }
}

function removeEmpty(path: string): boolean {
  try {
    rmdirSync(path);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ENOENT";
  }
}
