import type { Found } from "../infra/inventoryFound.ts";
import type { Call } from "./call.ts";
import type { Shade } from "./io.ts";
import { type ClusterNodes, clusterNodes } from "./node/membership.ts";
import { type Enrolled, roster, type Standing } from "./node/roster.ts";
import { session } from "./session.ts";
import { ago, table } from "./show.ts";

/** `tutti node list`: one list from the bus, from what the cores have written down, and from EC2 where that is known. */
export async function nodeList(call: Call): Promise<void> {
  if (call.text("from") === "ec2") return (await import("./ground/nodes.ts")).nodesFromEc2(call);
  const { api } = await session(call);
  const known = await clusterNodes(api);
  const found = roster(known, await machinesOf(call, known));
  call.io.result({ ok: true, nodes: found }, listing(found, call));
}

/** EC2 is asked only when it has to do with this cluster: others need no account there. */
async function machinesOf(call: Call, { members, newcomer }: ClusterNodes): Promise<Found[]> {
  const theirs = members.filter(({ instance }) => /^i-/.test(instance)).map(({ instance }) => instance);
  const named = call.flag("offline") || call.text("region") !== undefined || call.text("cluster") !== undefined;
  if (call.text("from") === "controller" || (theirs.length === 0 && !named)) return [];
  const cluster = call.text("cluster") ?? newcomer?.cluster;
  try {
    const all = await (await import("./node/onEc2.ts")).machinesOnEc2(call, cluster);
    // Two stacks may have one name: the one that is meant has machines that were let in.
    const stacks = new Set(all.filter(({ id }) => theirs.includes(id)).map(({ stack }) => stack));
    return stacks.size > 0 ? all.filter(({ stack }) => stacks.has(stack)) : all;
  } catch (error) {
    call.io.note(`note: EC2 was not asked (${(error as Error).message.split("\n")[0]})`);
    return [];
  }
}

const shades: Readonly<Record<Standing, Shade>> = {
  UP: "green",
  LOST: "red",
  SILENT: "red",
  JOINING: "yellow",
  REMOVED: "dim",
};

function listing(found: readonly Enrolled[], { io }: Call): string {
  const machines = found.some(({ instance }) => instance !== "");
  const head = ["NODE", "ADDRESS", "STATE", "ROLES", "SEEN", "VERSION"];
  const rows = found.map(({ id, address, state, roles, seen, version, instance, machine, publicAddress = "" }) => [
    ...[id, address, io.paint(shades[state], state.toLowerCase()), roles.join(", ")],
    ...[seen === 0 ? "-" : ago(seen, Date.now()), version || "-"],
    ...(machines ? [[instance, machine, publicAddress].filter(Boolean).join(" ") || "-"] : []),
  ]);
  return table(machines ? [...head, "MACHINE"] : head, rows, "no node has been heard of yet");
}
