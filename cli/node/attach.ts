import type { Session as Ssh } from "../../bootstrap/ssh.ts";
import type { Target } from "../../bootstrap/target.ts";
import type { Call } from "../call.ts";
import { exits, Fault, wrongUsage } from "../fault.ts";
import { poll } from "../poll.ts";
import { type Session, session } from "../session.ts";
import { bytes } from "../show.ts";
import { filesOf, rolesFrom, unfit } from "./birth.ts";
import { bootNode } from "./booting.ts";
import { bring } from "./bring.ts";
import { bundleFor, type LocalBundle } from "./bundles.ts";
import { type MachineFacts, nameFrom, readFacts } from "./facts.ts";
import { type ClusterNodes, claimFor, clusterNodes, type Newcomer, unwell } from "./membership.ts";
import { remember } from "./notebook.ts";
import { carryOut, type Reach, withReach } from "./reach.ts";
import { fromMachine } from "./receipts.ts";
import { install, look, receipts } from "./steps.ts";
import { typedTarget } from "./targets.ts";

/** `tutti node attach user@host --role R`: a machine that is not on EC2 becomes a node, by the same steps. */
export async function attach(call: Call): Promise<number> {
  const wanted = rolesFrom(call.list("role"));
  const target = typedTarget(call, call.arg(0));
  const opened = await session(call);
  const known = await clusterNodes(opened.api);
  const { newcomer } = known;
  if (!newcomer) throw alone(opened.api.target);
  return await withReach(call, {}, async (reach) => {
    const ssh = await reach.contact(target, (why) => call.io.note(`waiting for ${target.host}: ${why}`));
    const facts = await factsOf(call, { ssh, reach, known });
    const node = nameOf(call, facts);
    const misfit = unfit(facts, { node, cluster: newcomer.cluster });
    if (misfit)
      throw new Fault(`${target.host} cannot become a node: ${misfit.message}`, {
        code: misfit.code,
        hint: misfit.hint,
      });
    const bundle = bundleFor(call, facts.architecture ?? "x64");
    return await attachTo({ call, opened, reach, ssh, known, newcomer, target, facts, node, roles: wanted, bundle });
  });
}

function alone(api: string): Fault {
  return new Fault(`the cluster at ${api} is one machine and takes no others`, {
    code: "one_machine",
    hint: "declare one of several machines in a cluster.yaml: examples/trio; tutti target URL chooses another cluster",
  });
}

interface Looking {
  readonly ssh: Ssh;
  readonly reach: Reach;
  readonly known: ClusterNodes;
}

async function factsOf(call: Call, { ssh, reach, known }: Looking): Promise<MachineFacts> {
  const cores = known.nodes.filter(({ roles }) => roles.includes("core")).map(({ address }) => address);
  const { out } = await carryOut(ssh, look(reach.root, cores));
  const facts = readFacts(out);
  return { ...facts, address: call.text("address") ?? facts.address };
}

function nameOf(call: Call, { host, node }: MachineFacts): string {
  const name = call.text("name") ?? (node || nameFrom(host));
  if (/^[a-z0-9-]{1,63}$/.test(name)) return name;
  throw wrongUsage(
    name ? `--name: "${name}" is no name of a node` : `no name of a node can be made of the machine's own, ${host}`,
    "small letters, digits and dashes: --name shelf-0",
  );
}

interface Attaching extends Looking {
  readonly call: Call;
  readonly opened: Session;
  readonly newcomer: Newcomer;
  readonly target: Target;
  readonly facts: MachineFacts;
  readonly node: string;
  readonly roles: readonly string[];
  readonly bundle: LocalBundle;
}

async function attachTo(work: Attaching): Promise<number> {
  const { call, opened, known, node, facts, target } = work;
  const { io } = call;
  const { api } = opened;
  const there = known.nodes.find(({ id }) => id === node);
  const ours = facts.node === node;
  if (there?.state === "UP" && !ours) throw taken(node);
  const about = { node, address: facts.address, roles: work.roles };
  if (ours && unwell(there) === undefined) {
    await remember(io.env, api.target, { node, address: target });
    io.result({ ok: true, ...about, changed: false }, `${node} is a node already, and well`);
    return exits.done;
  }
  if (call.flag("plan")) {
    io.result({ ok: true, ...about, steps: planLines(work) }, planLines(work).join("\n"));
    return exits.changes;
  }
  const former = known.members.find(({ id, removed }) => id === node && removed === undefined);
  if (former && !ours) io.note(`note: ${node} was the machine ${former.instance}: this one takes its place`);
  await carryOn(work);
  await remember(io.env, api.target, { node, address: target });
  const now = await joined(work);
  io.result(
    { ok: true, ...about, changed: true, version: now.version },
    `${node} is a node: ${now.roles.join(", ")} at ${now.address}`,
  );
  return exits.done;
}

function taken(node: string): Fault {
  return new Fault(`there is a node ${node} already, on another machine`, {
    code: "name_taken",
    hint: `choose another name: --name NAME; or remove it first: tutti node remove ${node}`,
  });
}

function planLines({ node, newcomer, facts, bundle, roles, target }: Attaching): string[] {
  const brought = facts.bundles.includes(bundle.name);
  return [
    `${target.host} becomes the node ${node} of ${newcomer.cluster}, at ${facts.address}:`,
    `  get a claim for ${node} with ${roles.join(", ")} from a core`,
    brought
      ? `  agent ${bundle.name} is there already`
      : `  bring the agent ${bundle.name} (${bytes(bundle.bytes.length)})`,
    "  write its birth and the boot script, which cloud-init would write on EC2",
    "  run the boot script: packages, agent, service; wait until it is ready",
    "  wait until the cluster hears of it",
  ];
}

async function carryOn(work: Attaching): Promise<void> {
  const { call, opened, reach, ssh, facts, bundle, node, roles } = work;
  const { io } = call;
  const { root } = reach;
  await bring(ssh, { io, node, root, facts, bundle });
  // Late, as it is good for an hour and for one machine.
  const claimed = await claimFor(opened.api, { node, roles, replace: facts.node === node });
  await carryOut(ssh, install(root, filesOf({ claimed, facts, bundle, zone: call.text("zone") ?? "default" })));
  io.note(`${io.paint("green", "✓")} ${node}: birth and boot script written`);
  await bootNode(ssh, { io, node, root, within: call.whole("within", { min: 5 }) ?? 300 });
}

/** Its own word that it is ready is one thing; that the cluster hears it is the other. */
async function joined({ opened, node, call, ssh, reach }: Attaching) {
  let last = "";
  const found = await poll(
    async () => {
      const one = (await clusterNodes(opened.api)).nodes.find(({ id }) => id === node);
      last = unwell(one) ?? "";
      return last === "" ? one : undefined;
    },
    (call.whole("within", { min: 5 }) ?? 300) * 1000,
  );
  if (found) return found;
  const { out } = await carryOut(ssh, receipts(reach.root));
  const waiting = fromMachine(out).parts.find(({ state, reason }) => state !== "ready" && reason);
  throw new Fault(
    waiting
      ? `${node} is not let in yet: ${waiting.reason}`
      : `${node} is ready by its own word, but the cluster says: ${last}`,
    {
      code: "not_joined",
      hint: waiting?.hint ?? `tutti node explain ${node}; can it reach the cores, and they it?`,
    },
  );
}
