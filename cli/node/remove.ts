import type { Call } from "../call.ts";
import type { Node } from "../cluster.ts";
import { exits, Fault } from "../fault.ts";
import { ask } from "../prompt.ts";
import { session } from "../session.ts";
import { type ClusterNodes, clusterNodes, type Member } from "./membership.ts";
import { existing } from "./names.ts";
import { remember, remembered } from "./notebook.ts";
import { carryOut, withReach } from "./reach.ts";
import { farewell } from "./steps.ts";
import { targetsOf } from "./targets.ts";

interface Leaving {
  readonly node: string;
  readonly heard: Node | undefined;
  readonly member: Member | undefined;
  /** Roles that nobody has without it. */
  readonly last: readonly string[];
  readonly held: number;
  /** It was attached by hand: its machine is made a plain one again. */
  readonly byHand: boolean;
}

/** `tutti node remove NODE`: it is let in no longer. A machine of EC2 stays until `tutti up` takes it away. */
export async function remove(call: Call): Promise<number> {
  const { io } = call;
  const { api } = await session(call);
  const known = await clusterNodes(api);
  const node = existing(call.arg(0), known);
  const byHand = call.text("host") !== undefined || node in (await remembered(io.env, api.target));
  const leaving = leavingOf(node, known, byHand);
  const steps = stepsOf(leaving);
  if (call.flag("plan")) {
    io.result({ ok: true, node, steps, instances: leaving.held, last: leaving.last }, steps.join("\n"));
    return exits.changes;
  }
  if (!(await sure(call, steps))) {
    io.result({ ok: false, node }, "nothing was done");
    return exits.failed;
  }
  await api.delete(`/tutti/nodes/${node}${call.flag("force") ? "?force=true" : ""}`);
  io.note(`${io.paint("green", "✓")} ${node} is let in no longer`);
  const cleaned = byHand && (await clean(call, { node, api: api.target, known }));
  await remember(io.env, api.target, { node, address: undefined });
  io.result({ ok: true, node, cleaned }, farewellText(leaving, cleaned));
  return exits.done;
}

function leavingOf(node: string, { nodes, members }: ClusterNodes, byHand: boolean): Leaving {
  const heard = nodes.find(({ id }) => id === node);
  const member = members.find(({ id }) => id === node);
  const roles = member?.roles ?? heard?.roles ?? [];
  const others = nodes.filter(({ id, state }) => id !== node && state === "UP");
  const last = roles.filter((role) => !others.some((other) => other.roles.includes(role)));
  return { node, heard, member, last, held: member?.instances ?? 0, byHand };
}

/** What will be done, and what it means. */
function stepsOf({ node, heard, member, last, held, byHand }: Leaving): string[] {
  const roles = (member?.roles ?? heard?.roles ?? []).join(", ");
  const state = heard?.state === "UP" ? "is there" : "is not heard of";
  return [
    `${node} (${roles || "no roles"}) ${state}:`,
    `  its key is let in no longer; it has to be invited again to come back`,
    ...(last.length > 0 ? [`  nobody else has ${last.join(", ")}`] : []),
    ...(held > 0
      ? [`  it holds ${held === 1 ? "1 instance" : `${held} instances`} of apps: refused, unless forced`]
      : []),
    byHand
      ? "  its machine becomes a plain one again: agent stopped, identity removed (over ssh)"
      : "  its machine is left alone: take it out of cluster.yaml, then tutti up",
  ];
}

async function sure(call: Call, steps: readonly string[]): Promise<boolean> {
  const { io } = call;
  if (call.flag("yes")) return true;
  if (!io.stdin.isTTY)
    throw new Fault("there is no terminal to ask at whether this is wanted", {
      code: "usage",
      hint: `tutti node remove ${call.arg(0)} --yes; --plan shows it only`,
      exit: exits.usage,
    });
  for (const line of steps) io.note(line);
  return (await ask(io, `\nRemove ${call.arg(0)}? Type its name: `)) === call.arg(0);
}

/** The cluster is rid of it in any case: a machine that is gone needs no farewell. */
async function clean(call: Call, about: { node: string; api: string; known: ClusterNodes }): Promise<boolean> {
  const target = (await targetsOf(call, { ...about, nodes: [about.node] })).get(about.node);
  if (!target) return false;
  try {
    await withReach(call, {}, async (reach) => await carryOut(await reach.contact(target), farewell(reach.root)));
    return true;
  } catch (error) {
    const { message } = error as Error;
    call.io.note(`note: its machine could not be cleaned up: ${message.split("\n")[0]}`);
    return false;
  }
}

function farewellText({ node, byHand }: Leaving, cleaned: boolean): string {
  if (cleaned) return `${node} is removed, and its machine is a plain one again`;
  if (byHand) return `${node} is removed; on its machine: systemctl disable --now tutti-boot tutti`;
  return `${node} is removed; its machine is still there: take it out of cluster.yaml, then tutti up`;
}
