import { setTimeout as sleep } from "node:timers/promises";
import { abreast } from "./inventoryAbreast.ts";
import type { Account } from "./inventoryAccount.ts";
import { asked, faultOf, isHeld } from "./inventoryFault.ts";
import { type Found, foundKinds } from "./inventoryFound.ts";
import { openUp, remove, stillThere } from "./inventoryRemove.ts";

export interface SweepOptions {
  /** Told of each thing that is gone, and of each that stays, with the reason. */
  readonly told?: (event: Swept) => void;
  /** Milliseconds between two looks; default 2000. */
  readonly pause?: number;
  /** Milliseconds that machines may take to go; default ten minutes. */
  readonly patience?: number;
  /** Milliseconds, in all, that things may be held by others that are going; default two minutes. */
  readonly heldPatience?: number;
  readonly signal?: AbortSignal;
}

export interface Swept {
  readonly found: Found;
  /** Why it is still there; undefined when it is gone. */
  readonly kept?: string;
}

/** Removals at the same time: more only makes EC2 refuse some of them. */
const width = 8;

/**
 * Removes things in the order of what hangs on what, and tells what became of each. What is gone already is fine, what
 * cannot go does not hold up the rest: a sweep that was cut off or that fell short is simply run again.
 */
export async function sweep(account: Account, doomed: readonly Found[], options: SweepOptions = {}): Promise<Swept[]> {
  const results: Swept[] = [];
  // Things wait for each other only from when the machines are gone, and all of them together no longer than this.
  let deadline = Number.POSITIVE_INFINITY;
  for (const kind of foundKinds) {
    const things = doomed.filter((found) => found.kind === kind);
    if (kind === "firewall")
      await abreast(things, width, (found) => quietly(openUp(account.at(found.region), found.id)));
    const tried = await abreast(things, width, (found) => removed(account, found, { ...options, deadline }));
    const swept = kind === "instance" ? await waited(account, tried, options) : tried;
    if (kind === "instance") deadline = performance.now() + (options.heldPatience ?? 120_000);
    for (const one of swept) options.told?.(one);
    results.push(...swept);
  }
  return results;
}

/** A rule that cannot be taken out shows at the firewall that it holds. */
async function quietly(act: Promise<void>): Promise<void> {
  await act.catch(() => undefined);
}

type Timed = SweepOptions & { readonly deadline: number };

async function removed(account: Account, found: Found, { pause = 2000, deadline, signal }: Timed): Promise<Swept> {
  for (;;) {
    signal?.throwIfAborted();
    try {
      await remove(account.at(found.region), found.kind, found.id);
      return { found };
    } catch (error) {
      if (!isHeld(error) || performance.now() + pause > deadline) return { found, kept: reason(error, found) };
      await sleep(pause, undefined, { signal });
    }
  }
}

function reason(error: unknown, { kind, id }: Found): string {
  if (isHeld(error)) return "something that is not of the cluster uses it, or still holds it";
  return faultOf(error, `removing ${kind} ${id}`).message;
}

/** Disks, addresses and firewalls are free only when the machines are really gone. */
async function waited(account: Account, swept: readonly Swept[], options: SweepOptions): Promise<Swept[]> {
  const { pause = 2000, patience = 600_000, signal } = options;
  const until = performance.now() + patience;
  const going = swept.filter(({ kept }) => kept === undefined);
  let left = new Set(going.map(({ found }) => found.id));
  while (left.size > 0) {
    signal?.throwIfAborted();
    const waiting = Map.groupBy(
      going.filter(({ found }) => left.has(found.id)),
      ({ found }) => found.region,
    );
    const looks = [...waiting].map(([region, all]) =>
      stillThere(
        account.at(region),
        all.map(({ found }) => found.id),
      ),
    );
    left = new Set((await asked("waiting for machines to go", Promise.all(looks))).flat());
    if (left.size === 0 || performance.now() + pause > until) break;
    await sleep(pause, undefined, { signal });
  }
  return swept.map((one) => (left.has(one.found.id) ? { ...one, kept: "it is told to go and is still there" } : one));
}
