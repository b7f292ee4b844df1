import type { Session as Ssh } from "../../bootstrap/ssh.ts";
import type { Target } from "../../bootstrap/target.ts";
import type { RoleName } from "../../roles/role.ts";
import type { Api } from "../api.ts";
import type { Call } from "../call.ts";
import { exits, Fault } from "../fault.ts";
import { ask } from "../prompt.ts";
import { session } from "../session.ts";
import { bundleFor, type LocalBundle } from "./bundles.ts";
import { type MachineFacts, readFacts } from "./facts.ts";
import { type ClusterNodes, clusterNodes, unwell } from "./membership.ts";
import { chosen } from "./names.ts";
import { carryOut, type Reach, withReach } from "./reach.ts";
import { look } from "./steps.ts";
import { targetsOf } from "./targets.ts";
import { upgradeOne } from "./upgradeOne.ts";
import { planText, planUpgrade, type UpgradePlan } from "./upgradePlan.ts";

/** A machine that was looked at: what it uses, and what it gets. */
export interface Visited {
  readonly node: string;
  readonly ssh: Ssh;
  readonly facts: MachineFacts;
  readonly bundle: LocalBundle;
}

/** `tutti node upgrade [NODE…]`: another agent, one node after the other. Run again, it goes on where it stopped. */
export async function upgrade(call: Call): Promise<number> {
  const { io } = call;
  const { api } = await session(call);
  const known = await clusterNodes(api);
  const names = chosen(call.args, known);
  const targets = await targetsOf(call, { nodes: names, api: api.target, known });
  return await withReach(call, {}, async (reach) => {
    const visited = await visitAll(call, { names, targets, reach });
    const plan = planOf(known, visited);
    const shown = { steps: plan.steps, refusals: plan.refusals };
    if (plan.refusals.length > 0) throw refused(plan);
    const busy = plan.steps.filter(({ needed }) => needed);
    if (busy.length === 0 || call.flag("plan")) {
      io.result({ ok: true, ...shown, upgraded: [] }, planText(plan));
      return busy.length === 0 ? exits.done : exits.changes;
    }
    io.note(planText(plan));
    if (!(await sure(call))) {
      io.result({ ok: false, ...shown, upgraded: [] }, "nothing was done");
      return exits.failed;
    }
    const upgraded = await inTurn(call, { api, reach, plan, visited });
    io.result(
      { ok: true, ...shown, upgraded },
      `${upgraded.length === 1 ? "1 node is" : `${upgraded.length} nodes are`} upgraded`,
    );
    return exits.done;
  });
}

interface Visiting {
  readonly names: readonly string[];
  readonly targets: ReadonlyMap<string, Target>;
  readonly reach: Reach;
}

/** All of them before anything is changed: one that cannot be reached, or has no room, stops it here. */
async function visitAll(call: Call, { names, targets, reach }: Visiting): Promise<Visited[]> {
  const bundles = new Map<string, LocalBundle>();
  const visits = names.map(async (node): Promise<Visited> => {
    const target = targets.get(node);
    if (!target)
      throw new Fault("nobody knows where its ssh answers", {
        code: "no_address",
        hint: `tutti node upgrade ${node} --host user@host`,
      });
    const ssh = await reach.contact(target);
    const facts = readFacts((await carryOut(ssh, look(reach.root))).out);
    const architecture = facts.architecture ?? "x64";
    const bundle = bundles.get(architecture) ?? bundleFor(call, architecture);
    bundles.set(architecture, bundle);
    checkMachine(node, facts, bundle);
    return { node, ssh, facts, bundle };
  });
  const ends = await Promise.allSettled(visits);
  const bad = ends.flatMap((end, i) =>
    end.status === "rejected" ? [{ node: names[i], error: end.reason as Error }] : [],
  );
  const [first] = bad;
  if (first)
    throw unreached(
      bad.map(({ node, error }) => `${node}: ${error.message}`),
      first.error,
    );
  return ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : []));
}

function unreached(lines: readonly string[], { code, hint }: Error & { code?: string; hint?: string }): Fault {
  return new Fault(["nothing was changed, as not every machine is fit for it:", ...lines].join("\n  "), {
    code: code ?? "unreached",
    hint,
  });
}

/** So much more than the archive is needed: it lies there packed and unpacked for a moment. */
const spread = 6;

function checkMachine(node: string, { node: own, free, bundles }: MachineFacts, { bytes, name }: LocalBundle): void {
  if (own !== node)
    throw new Fault(own ? `the machine there is the node ${own}` : "the machine there is no node", {
      code: "wrong_machine",
      hint: "is that its address? --host user@host",
    });
  const need = Math.ceil((bytes.length * spread) / 1024);
  if (free >= need || bundles.includes(name)) return;
  throw new Fault(
    `it has ${Math.floor(free / 1024)} MiB free where agents lie, and ${Math.ceil(need / 1024)} are needed`,
    {
      code: "no_space",
      hint: "make room there: old agents are in /opt/tutti",
    },
  );
}

function planOf(known: ClusterNodes, visited: readonly Visited[]): UpgradePlan {
  const nodes = known.nodes.map((node) => {
    const why = unwell(node);
    return { id: node.id, roles: node.roles as RoleName[], well: why === undefined, why: why ?? "" };
  });
  const wanted = new Map(visited.map(({ node, facts, bundle }) => [node, { from: facts.current, to: bundle.name }]));
  return planUpgrade({ nodes, wanted });
}

function refused({ refusals, steps }: UpgradePlan): Fault {
  return new Fault(["nothing was changed:", ...refusals].join("\n  "), {
    code: "not_covered",
    hint: "tutti node explain NODE tells what it lacks; tutti node remove NODE takes out one that is gone for good",
    details: { steps, refusals },
  });
}

async function sure(call: Call): Promise<boolean> {
  if (call.flag("yes")) return true;
  if (!call.io.stdin.isTTY)
    throw new Fault("there is no terminal to ask at whether this is wanted", {
      code: "usage",
      hint: "the same with --yes; --plan shows it only",
      exit: exits.usage,
    });
  return /^y(es)?$/i.test(await ask(call.io, "\nDo this? [y/N] "));
}

interface InTurn {
  readonly api: Api;
  readonly reach: Reach;
  readonly plan: UpgradePlan;
  readonly visited: readonly Visited[];
}

/** Before each the cluster is looked at again: what has happened meanwhile counts. */
async function inTurn(call: Call, { api, reach, plan, visited }: InTurn): Promise<string[]> {
  const done: string[] = [];
  for (const { node } of plan.steps.filter(({ needed }) => needed)) {
    const one = visited.find((each) => each.node === node);
    if (!one) continue;
    const now = planOf(await clusterNodes(api), [one]);
    if (now.refusals.length > 0) throw stopped(done, now);
    await upgradeOne(call, { ...one, api, reach });
    done.push(node);
  }
  return done;
}

function stopped(done: readonly string[], { refusals }: UpgradePlan): Fault {
  const far = done.length > 0 ? `${done.join(", ")} done; ` : "";
  return new Fault(`stopped (${far}${refusals.join("; ")})`, {
    code: "not_covered",
    hint: "mend it, then run the same again: it goes on where it stopped",
    details: { upgraded: done },
  });
}
