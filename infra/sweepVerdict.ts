import type { Inventory } from "./inventory.ts";
import { type Found, isAlive, stackOf } from "./inventoryFound.ts";
import { monthOf } from "./priceFound.ts";

/** What shall go: what is expired, what belongs to nobody, or all there is of one cluster. */
export interface Wish {
  readonly expired: boolean;
  readonly orphans: boolean;
  /** Needs `cluster`. */
  readonly everything?: boolean | undefined;
  readonly cluster?: string | undefined;
  /** Names of the stacks that exist, when that is known: everything of another one is an orphan. */
  readonly stacks?: ReadonlySet<string> | undefined;
}

export interface Doomed extends Found {
  /** Why it goes, in a few words. */
  readonly why: string;
  /** Dollars a month that it costs; undefined when the table has no price. */
  readonly month: number | undefined;
}

/**
 * How long what looks forgotten may still be in the making: an `up` that is under way has a network without machines,
 * and a replacement has two machines of one name.
 */
const grace = 60 * 60 * 1000;

/** What goes, with the reason. Whatever is in doubt stays. `now` in Unix milliseconds. */
export function verdicts({ found, alive, unseen }: Inventory, wish: Wish, now: number): Doomed[] {
  const stacks = Map.groupBy(found, stackOf);
  return found.flatMap((one): Doomed[] => {
    if (wish.cluster !== undefined && one.cluster !== wish.cluster) return [];
    const stack = { things: stacks.get(stackOf(one)) ?? [], alive: alive.has(stackOf(one)), unseen, now };
    const why =
      (wish.everything && wish.cluster !== undefined ? "you named its cluster" : undefined) ??
      (wish.expired ? expiry(stack) : undefined) ??
      (wish.orphans ? orphan(one, stack, wish) : undefined);
    return why ? [{ ...one, why, month: monthOf(one) }] : [];
  });
}

interface Stack {
  readonly things: readonly Found[];
  readonly alive: boolean;
  readonly unseen: readonly string[];
  readonly now: number;
}

/** A stack has the latest expiry that any part of it says: when it is put off, not all tags change at once. */
function expiry({ things, now }: Stack): string | undefined {
  const ends = things.map(({ expires }) => Date.parse(expires));
  // `never`, and what nobody can read.
  if (ends.some(Number.isNaN)) return undefined;
  const end = Math.max(...ends);
  if (!(end <= now)) return undefined;
  return `expired ${new Date(end)
    .toISOString()
    .replace(/T00:00:00.000Z$/, "")
    .replace(/:\d\d\.\d{3}Z$/, "Z")}`;
}

function orphan(one: Found, stack: Stack, { stacks }: Wish): string | undefined {
  if (stacks && !stacks.has(one.stack)) return `there is no stack ${one.stack || "of that name"}`;
  if (!stack.alive) return forgotten(one, stack);
  if (one.kind === "instance") return double(one, stack);
  if (one.kind === "volume" || one.kind === "address") return loose(one, stack);
  return undefined;
}

/** Of a stack that has no machine anywhere, and nothing so young that one may be on its way. */
function forgotten(one: Found, { things, unseen, now }: Stack): string | undefined {
  if (one.region === "" && unseen.length > 0) return undefined;
  const youngest = Math.max(...things.map(({ created = 0 }) => created));
  return now - youngest < grace ? undefined : "no machine of its stack is left";
}

/** State goes with the newest machine of a name: an older one that is still there was lost sight of. */
function double(one: Found, { things, now }: Stack): string | undefined {
  const newer = things.find(
    (other) =>
      other.kind === "instance" &&
      isAlive(other) &&
      other.node === one.node &&
      (other.created ?? 0) > (one.created ?? 0) &&
      now - (other.created ?? 0) >= grace,
  );
  return newer && `${one.node} has a newer machine, ${newer.id}`;
}

/** Disks and addresses that no machine has, although their node is there long enough, or not at all. */
function loose(one: Found, { things, now }: Stack): string | undefined {
  if (one.heldBy !== "") return undefined;
  const young = (other: Found) => now - (other.created ?? 0) < grace;
  const mates = things.filter((other) => other.kind === "instance" && other.node === one.node);
  if (mates.some(young) || (one.created !== undefined && young(one))) return undefined;
  return "no machine has it";
}
