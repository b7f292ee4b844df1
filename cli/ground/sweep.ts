import { inventory } from "../../infra/inventory.ts";
import type { Account } from "../../infra/inventoryAccount.ts";
import { type Swept, sweep } from "../../infra/sweep.ts";
import { type Doomed, verdicts, type Wish } from "../../infra/sweepVerdict.ts";
import type { Call } from "../call.ts";
import { exits, wrongUsage } from "../fault.ts";
import { ask } from "../prompt.ts";
import { withAccount } from "./account.ts";
import { count, monthly, plan, shape } from "./sweepText.ts";

/** `tutti sweep`: shows what is expired or belongs to nobody, and removes it when that is meant. */
export async function sweepCommand(call: Call): Promise<number> {
  const wish = wishOf(call);
  return withAccount(call, async (account, regions) => {
    const there = await inventory(account, { regions });
    const doomed = verdicts(there, wish, Date.now());
    for (const region of there.unseen)
      call.io.note(`note: ${region} could not be looked at: roles and profiles of clusters there are left alone`);
    if (doomed.length === 0) {
      call.io.result({ ok: true, removed: [], kept: [] }, plan(doomed));
      return exits.done;
    }
    return (await meant(call, doomed)) ? carryOut(call, account, doomed) : exits.changes;
  });
}

function wishOf(call: Call): Wish {
  const [expired, orphans, everything] = [call.flag("expired"), call.flag("orphans"), call.flag("everything")];
  const cluster = call.text("cluster");
  if (everything && cluster === undefined)
    throw wrongUsage("--everything needs --cluster: whose everything?", "e.g. tutti sweep --cluster trio --everything");
  const stacks = call.text("stacks");
  const both = !expired && !orphans && !everything;
  return {
    ...{ expired: expired || both, orphans: orphans || both, everything, cluster },
    stacks: stacks === undefined ? undefined : new Set(stacks.split(/[\s,]+/).filter(Boolean)),
  };
}

/** Shows it and has it confirmed. Without a terminal to ask at it is a plan only: exit code 2. */
async function meant(call: Call, doomed: readonly Doomed[]): Promise<boolean> {
  const { io } = call;
  if (call.flag("yes")) {
    if (!io.json) io.out(`${plan(doomed)}\n`);
    return true;
  }
  const planned = { ok: true, doomed: doomed.map(shape), month: monthly(doomed), removed: [] };
  io.result(planned, plan(doomed));
  if (io.json || !io.stdin.isTTY) {
    io.note("nothing was removed; to remove it: the same with --yes");
    return false;
  }
  const said = await ask(io, `Remove ${count(doomed)} for good? Type "sweep": `);
  if (said === "sweep") return true;
  io.note("nothing was removed");
  return false;
}

async function carryOut(call: Call, account: Account, doomed: readonly Doomed[]): Promise<number> {
  const { io } = call;
  const machines = doomed.filter(({ kind }) => kind === "instance").length;
  if (machines) io.note(`waiting for ${machines} ${machines === 1 ? "machine" : "machines"} to go`);
  const swept = await sweep(account, doomed, { told: (one) => io.note(line(one)) });
  const kept = swept.filter((one) => one.kept !== undefined);
  const gone = swept.filter((one) => one.kept === undefined);
  const removed = gone.map(({ found: { kind, id, region } }) => ({ kind, id, region }));
  const left = kept.map(({ found: { kind, id, region }, kept: why }) => ({ kind, id, region, why }));
  const words = kept.length ? `; ${count(left)} could not go: run it again` : "";
  io.result({ ok: kept.length === 0, removed, kept: left }, `removed ${count(gone)}${words}`);
  return kept.length ? exits.failed : exits.done;
}

function line({ found: { kind, id }, kept }: Swept): string {
  return kept === undefined ? `removed ${kind} ${id}` : `kept ${kind} ${id}: ${kept}`;
}
