import { createHash } from "node:crypto";
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";

/** `base`: each instance its own uid; `uid`: all the same; `agent`: no other user than the agent's own. */
export type UserChoice = { base: number } | { uid: number; gid: number } | "agent";

export interface Owner {
  uid: number;
  gid: number;
}

/** Slots of one DEA. */
export const slots = 10_000;

/** The user of a slot; undefined: the agent's own. */
export function ownerOfSlot(choice: UserChoice, slot: number): Owner | undefined {
  if (choice === "agent") return undefined;
  if ("uid" in choice) return choice;
  return { uid: choice.base + (slot % slots), gid: choice.base + (slot % slots) };
}

/**
 * Who shall run the apps: when the agent is root, users of their own, in a range that nothing else uses (systemd's list
 * of uid ranges leaves 1879048192..2147352575 free) and that differs between two DEAs of one machine. Gives the choice
 * and, when apps must share the agent's user, the reason.
 */
export function defaultUser(root: string): { choice: UserChoice; because?: string } {
  if (process.getuid?.() !== 0) return { choice: "agent", because: "the agent is not root" };
  const closed = closedAbove(root);
  if (closed) return { choice: "agent", because: `other users may not enter ${closed}` };
  const zone = createHash("sha256").update(root).digest().readUInt32BE(0);
  const base = 2_000_000_000 + (zone % 10_000) * slots;
  if (mapped(base)) return { choice: { base } };
  const low = 20_000 + (zone % 4) * slots;
  if (mapped(low)) return { choice: { base: low } };
  return { choice: "agent", because: "this machine maps too few user ids" };
}

/** The first directory on the way to `path` that other users may not enter. */
export function closedAbove(path: string): string | undefined {
  const parents: string[] = [];
  for (let at = dirname(path); !parents.includes(at); at = dirname(at)) parents.unshift(at);
  return parents.find((at) => existsSync(at) && (statSync(at).mode & 0o001) === 0);
}

function mapped(base: number): boolean {
  const rows = readFileSync("/proc/self/uid_map", "utf8").trim().split("\n");
  return rows.some((row) => {
    const [first = 0, , count = 0] = row.trim().split(/\s+/).map(Number);
    return base >= first && base + slots <= first + count;
  });
}
