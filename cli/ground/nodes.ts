import type { Account } from "../../infra/inventoryAccount.ts";
import { findMachines } from "../../infra/inventoryEc2.ts";
import { type Found, isAlive, stackOf } from "../../infra/inventoryFound.ts";
import type { Call } from "../call.ts";
import { ago, table } from "../show.ts";
import { withAccount } from "./account.ts";

/** Machines by cluster, stack and node. */
export async function machinesIn(account: Account, regions: readonly string[], cluster?: string): Promise<Found[]> {
  const lists = await Promise.all(regions.map((region) => findMachines(account.at(region), cluster)));
  const name = (found: Found) => `${stackOf(found)} ${found.node}`;
  return lists.flat().sort((one, other) => name(one).localeCompare(name(other), "en", { numeric: true }));
}

/** `tutti node list --from ec2`: what AWS's tags tell, with no controller to ask. */
export async function nodesFromEc2(call: Call): Promise<void> {
  const found = await withAccount(call, (account, regions) => machinesIn(account, regions, call.text("cluster")));
  const { io } = call;
  const twice = doubles(found);
  io.result({ ok: true, nodes: found.map(shape), twice }, listing(found, call));
  for (const name of twice)
    io.note(`note: ${name} has more than one machine: tutti sweep --orphans shows the old ones`);
}

/** A node as `--json` tells it. */
export function shape({ id, region, cluster, stack, node, owner, expires, created, machine }: Found) {
  return { node, cluster, stack, instance: id, region, owner, expires, launched: created, ...machine };
}

function doubles(found: readonly Found[]): string[] {
  const groups = Map.groupBy(found.filter(isAlive), (one) => `${stackOf(one)}/${one.node}`);
  return [...groups].filter(([, all]) => all.length > 1).map(([name]) => name);
}

function listing(found: readonly Found[], { io }: Call): string {
  const rows = found.map(({ id, node, created = 0, machine, ...one }) => [
    node,
    stackOf(one),
    io.paint(machine?.state === "running" ? "green" : "red", machine?.state ?? ""),
    machine?.roles.join(", ") ?? "",
    `${machine?.type}${machine?.spot ? " spot" : ""}`,
    machine?.zone ?? "",
    machine?.privateAddress || "-",
    machine?.publicAddress || "-",
    id,
    ago(created, Date.now()),
  ]);
  const head = ["NODE", "CLUSTER", "STATE", "ROLES", "TYPE", "ZONE", "INSIDE", "OUTSIDE", "INSTANCE", "BORN"];
  return table(head, rows, "no machine of a cluster is there");
}
