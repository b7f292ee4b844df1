import type { Call } from "../call.ts";
import { exits, Fault } from "../fault.ts";
import { session } from "../session.ts";
import { explainText, failed, standingOf } from "./explainText.ts";
import { type ClusterNodes, clusterNodes } from "./membership.ts";
import { existing } from "./names.ts";
import { carryOut, withReach } from "./reach.ts";
import { fromConsole, fromController, fromMachine, type Receipts, type Source } from "./receipts.ts";
import { receipts as ask } from "./steps.ts";
import { targetsOf } from "./targets.ts";

/** `tutti node explain NODE`: what became of a machine, from whoever can tell: the first failed step first. */
export async function explain(call: Call): Promise<number> {
  const { io } = call;
  const node = call.arg(0);
  const cluster = await clusterOf(call);
  const tried: string[] = [];
  const found = await firstToTell(call, cluster, tried);
  if (!found) throw untold(call, cluster, tried);
  const { from, steps, parts, result, bundle, log, boots } = found;
  const state = standingOf(found);
  for (const line of tried) io.note(`note: ${line}`);
  io.result(
    { ok: true, node, from, state, failed: failed(steps), steps, boots, result, components: parts, bundle, log, tried },
    explainText(found, { node, paint: io.paint, now: Date.now() }),
  );
  return exits.done;
}

interface Cluster {
  readonly api: string;
  readonly known: ClusterNodes;
  /** Why the controller cannot be asked; undefined when it has answered. */
  readonly why: string | undefined;
}

/** A cluster that never came up has no controller to ask, and nobody is logged in. */
async function clusterOf(call: Call): Promise<Cluster> {
  const nobody: ClusterNodes = { nodes: [], members: [] };
  try {
    const { api } = await session(call);
    return { api: api.target, known: await clusterNodes(api), why: undefined };
  } catch (error) {
    return { api: "", known: nobody, why: (error as Error).message };
  }
}

/** An agent that never came up has told its console only; one that did can be asked on its machine. */
async function firstToTell(call: Call, cluster: Cluster, tried: string[]): Promise<Receipts | undefined> {
  const heard = cluster.known.nodes.some(({ id }) => id === call.arg(0));
  const wanted = call.text("from") as Source | undefined;
  const usual: readonly Source[] = heard ? ["ssh", "controller"] : ["console", "ssh"];
  for (const source of wanted ? [wanted] : usual) {
    try {
      return await tellers[source](call, cluster);
    } catch (error) {
      tried.push(`${source}: ${(error as Error).message.split("\n")[0]}`);
    }
  }
  return undefined;
}

const tellers: Readonly<Record<Source, (call: Call, cluster: Cluster) => Promise<Receipts>>> = {
  console: async (call) => {
    const text = await consoleOfNode(call);
    const receipts = fromConsole(text);
    if (receipts.steps.length > 0 || receipts.result) return receipts;
    throw new Error(text ? "nothing of its boot is on it yet" : "nothing is on it yet; EC2 needs a minute or two");
  },
  ssh: async (call, { api, known }) => {
    const node = call.arg(0);
    const target = (await targetsOf(call, { nodes: [node], api, known, unborn: true })).get(node);
    if (!target) throw new Error("nobody knows where its ssh answers: --host user@host");
    return await withReach(call, {}, async (reach) => {
      const { out } = await carryOut(await reach.contact(target), ask(reach.root));
      return fromMachine(out);
    });
  },
  controller: async (call, { known, why }) => {
    if (why) throw new Error(why);
    const node = known.nodes.find(({ id }) => id === call.arg(0));
    if (!node) throw new Error("it has not heard of it");
    return fromController(node.components);
  },
};

async function consoleOfNode(call: Call): Promise<string> {
  const [{ machinesOnEc2, printedBy }, { pick }] = await Promise.all([
    import("./onEc2.ts"),
    import("../ground/console.ts"),
  ]);
  return await printedBy(call, { instance: pick(await machinesOnEc2(call), call.arg(0)).id });
}

/** A misspelt name is the likeliest cause; but a machine that never came up is known to nobody but EC2. */
function untold(call: Call, { known, why }: Cluster, tried: readonly string[]): Fault {
  const node = call.arg(0);
  const lines = [...(why ? [`controller: ${why}`] : []), ...tried];
  const details = { node, tried: lines };
  const options = { code: "nobody_tells", details };
  const message = [`nobody can tell of ${node}:`, ...lines].join("\n  ");
  if (!why && !call.text("host")) {
    const fault = strange(node, known);
    if (fault)
      return new Fault(`${fault.message} (${lines.join("; ")})`, { ...options, code: fault.code, hint: fault.hint });
  }
  return new Fault(message, {
    ...options,
    hint: "name its machine: --host user@host; a machine on EC2: --region, or --offline",
  });
}

function strange(node: string, known: ClusterNodes): Fault | undefined {
  try {
    existing(node, known);
    return undefined;
  } catch (error) {
    return error instanceof Fault ? error : undefined;
  }
}
