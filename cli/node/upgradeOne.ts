import type { Api } from "../api.ts";
import type { Call } from "../call.ts";
import { Fault } from "../fault.ts";
import { poll } from "../poll.ts";
import { birthFile, filesWith } from "./birth.ts";
import { bootNode } from "./booting.ts";
import { bring } from "./bring.ts";
import { type ClusterNodes, clusterNodes, unwell } from "./membership.ts";
import { carryOut, type Reach } from "./reach.ts";
import { install, read, settle } from "./steps.ts";
import type { Visited } from "./upgrade.ts";

export interface Upgrading extends Visited {
  readonly api: Api;
  readonly reach: Reach;
}

/**
 * One node: the new agent beside the old one, then its name in the birth, then the boot script, which switches the link
 * and starts the agent anew. What does not become healthy is switched back. Instances of apps go on all the while.
 */
export async function upgradeOne(call: Call, work: Upgrading): Promise<void> {
  const { ssh, facts, bundle, node, reach, api } = work;
  const { io } = call;
  const { root } = reach;
  const before = await clusterNodes(api);
  await bring(ssh, { io, node, root, facts, bundle });
  const files = filesWith((await carryOut(ssh, read(root, birthFile))).out, bundle);
  const paths = files.map(({ path }) => path);
  // What was kept by a run that failed is still the way back; of a node that is well it is of no use any more.
  if (unwell(before.nodes.find(({ id }) => id === node)) === undefined)
    await carryOut(ssh, settle(root, "forget", paths));
  await carryOut(ssh, install(root, files, true));
  await started(call, work, before).catch(async (error: Error) => {
    if (reach.stop.aborted) throw error;
    throw await switchedBack(call, work, { paths, error });
  });
  await carryOut(ssh, settle(root, "forget", paths));
  const held = holds(before, node);
  io.note(`${io.paint("green", "✓")} ${node}: uses ${bundle.name}${held ? `, ${counted(held)} on` : ""}`);
}

const counted = (held: number) => (held === 1 ? "its instance goes" : `${held} instances go`);

const seconds = (call: Call): number => call.whole("within", { min: 5 }) ?? 120;

const holds = ({ members }: ClusterNodes, node: string) => members.find(({ id }) => id === node)?.instances;

/** Healthy is what the agent says of itself, and what the cluster hears of it since. */
async function started(call: Call, { ssh, node, reach, api }: Upgrading, before: ClusterNodes): Promise<void> {
  await bootNode(ssh, { io: call.io, node, root: reach.root, within: seconds(call) });
  let last = "";
  const well = await poll(async () => {
    // While the only controller or router starts anew, nobody answers.
    const now = await clusterNodes(api).catch((error: Error) => error);
    if (now instanceof Error) last = now.message;
    else last = wrong(now, { node, before }) ?? "";
    return last === "" || undefined;
  }, seconds(call) * 1000);
  if (!well) throw new Fault(last, { code: "not_well" });
}

interface Expected {
  readonly node: string;
  readonly before: ClusterNodes;
}

/** What is not as it was before the node's agent was started anew. */
function wrong(now: ClusterNodes, { node, before }: Expected): string | undefined {
  const find = ({ nodes }: ClusterNodes, name: string) => nodes.find(({ id }) => id === name);
  const [one, former] = [find(now, node), find(before, node)];
  const why = unwell(one) ?? (one && one.seen > (former?.seen ?? 0) ? undefined : "not heard of since");
  if (why) return why;
  // A controller that has started anew hears of the others again within a beat or two.
  const missed = before.nodes.find((each) => unwell(each) === undefined && unwell(find(now, each.id)) !== undefined);
  if (missed) return `${missed.id} is ${unwell(find(now, missed.id))}`;
  const held = holds(before, node);
  // Those that end by themselves are started elsewhere: only an agent that has found none has lost them.
  return held && holds(now, node) === 0 ? `its ${held} instances are not seen any more` : undefined;
}

interface Back {
  readonly paths: readonly string[];
  readonly error: Error;
}

async function switchedBack(
  call: Call,
  { ssh, node, facts, bundle, reach }: Upgrading,
  { paths, error }: Back,
): Promise<Fault> {
  const { io } = call;
  io.note(`${io.paint("red", "✗")} ${node}: ${error.message.split("\n")[0]}: back to ${facts.current}`);
  const back = async () => {
    await carryOut(ssh, settle(reach.root, "back", paths));
    await bootNode(ssh, { io, node, root: reach.root, within: seconds(call) });
  };
  const failure = await back().then(
    () => undefined,
    (second: Error) => second,
  );
  const end = failure
    ? `and could not be switched back (${failure.message.split("\n")[0]})`
    : `and is back at ${facts.current}`;
  return new Fault(`${node} did not become healthy with ${bundle.name}, ${end}: ${error.message}`, {
    code: failure ? "upgrade_broken" : "upgrade_undone",
    hint: failure
      ? `tutti node explain ${node}`
      : "the nodes before it are upgraded; mend the bundle, then run the same again",
    cause: error,
  });
}
