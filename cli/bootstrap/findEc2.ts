import type { Target } from "../../bootstrap/target.ts";
import { consoleOf } from "../../infra/inventory.ts";
import type { Account } from "../../infra/inventoryAccount.ts";
import { type Found, isAlive, stackOf } from "../../infra/inventoryFound.ts";
import type { NodeOutcome } from "../../infra/outcome.ts";
import { outputsOf } from "../../infra/run.ts";
import type { RoleName } from "../../roles/role.ts";
import type { Call } from "../call.ts";
import { standing } from "../cluster/ground.ts";
import { nodesIn } from "../cluster/nodeLines.ts";
import { readSpec } from "../cluster/spec.ts";
import { Fault } from "../fault.ts";
import { withAccount } from "../ground/account.ts";
import { machinesIn } from "../ground/nodes.ts";
import type { Party } from "./find.ts";
import { usualUser } from "./hosts.ts";

export async function withNodesOnEc2<T>(call: Call, act: (party: Party) => Promise<T>): Promise<T> {
  const [file] = call.args;
  const spec = file === undefined ? undefined : readSpec(file).spec;
  const region = call.text("region") ?? spec?.aws?.region ?? regionOf(call.io.env);
  return await withAccount(inRegion(call, region), async (account, regions) => {
    const stood = file === undefined ? undefined : await fromStack(call, file);
    const nodes = stood
      ? await asTheyAre(stood, { account, regions, cluster: spec?.name })
      : await fromTags(call, { account, regions, cluster: spec?.name });
    return await act({ nodes: nodes.map(({ region: _, ...target }) => target), console: consoles(account, nodes) });
  });
}

/** A machine, and the region it is in. */
interface Placed extends Target {
  readonly region: string;
}

/** The words of 2012 come first: who has set them means them. */
function regionOf(env: NodeJS.ProcessEnv): string | undefined {
  return env["EC2_REGION"] || env["EC2_AVAILABILITY_ZONE"]?.replace(/[a-z]$/, "") || undefined;
}

function inRegion(call: Call, region: string | undefined): Call {
  // Nobody says to which region an offline cluster pretends to belong.
  const known = call.flag("offline") ? call.text("region") : region;
  return { ...call, text: (name) => (name === "region" ? known : call.text(name)) };
}

/** What the stack's outputs say; undefined when they cannot be had: then the tags have to do. */
async function fromStack(call: Call, file: string): Promise<Placed[] | undefined> {
  const { spec } = readSpec(file);
  try {
    const { site } = await standing(call, spec, {});
    const nodes = nodesIn(await outputsOf(site));
    return nodes.length > 0 ? nodes.map((node) => fromOutcome(node, call)) : undefined;
  } catch (error) {
    call.io.note(`note: the stack cannot be asked (${(error as Error).message}); AWS's tags are`);
    return undefined;
  }
}

function fromOutcome({ id, roles, zone, instance, publicAddress, privateAddress }: NodeOutcome, call: Call): Placed {
  const address = { host: publicAddress || privateAddress, port: 22, user: call.text("user") ?? usualUser };
  return { name: id, instance, roles, ...address, region: zone.replace(/[a-z]$/, "") };
}

/** A machine that was stopped and started since the last up has another public address than the stack remembers. */
async function asTheyAre(nodes: readonly Placed[], { account, regions, cluster }: Tagged): Promise<Placed[]> {
  const found = await machinesIn(account, regions, cluster).catch(() => []);
  const now = new Map(found.map(({ id, machine }) => [id, machine?.publicAddress || machine?.privateAddress]));
  return nodes.map((node) => ({ ...node, host: now.get(node.instance ?? "") || node.host }));
}

interface Tagged {
  readonly account: Account;
  readonly regions: readonly string[];
  readonly cluster: string | undefined;
}

async function fromTags(call: Call, { account, regions, cluster }: Tagged): Promise<Placed[]> {
  const all = (await machinesIn(account, regions, cluster)).filter(isAlive);
  const wanted = call.text("stack");
  const mine =
    wanted === undefined ? all : all.filter((one) => [one.stack, one.cluster, stackOf(one)].includes(wanted));
  const stacks = [...new Set(mine.map(stackOf))];
  if (stacks.length > 1)
    throw new Fault(`there are several clusters: ${stacks.join(", ")}`, {
      code: "ambiguous",
      hint: `choose one: tutti bootstrap --stack ${stacks[0]}`,
    });
  if (mine.length === 0)
    throw new Fault(`no machine of ${wanted ?? cluster ?? "a cluster"} is there`, {
      code: "no_nodes",
      hint: "tutti up SPEC makes them; is it another --region? Machines that are not on EC2: --host user@host",
    });
  return newest(mine).map((one) => fromFound(one, call));
}

/** A machine that is replaced may still be there beside the one that replaces it. */
function newest(found: readonly Found[]): Found[] {
  const sorted = found.toSorted((one, other) => (one.created ?? 0) - (other.created ?? 0));
  const last = new Map(sorted.map((one) => [one.node, one]));
  return found.filter((one) => last.get(one.node) === one);
}

function fromFound({ node, id, region, machine }: Found, call: Call): Placed {
  const { publicAddress = "", privateAddress = "", roles = [] } = machine ?? {};
  const address = { host: publicAddress || privateAddress, port: 22, user: call.text("user") ?? usualUser };
  return { name: node, instance: id, roles: roles as RoleName[], ...address, region };
}

function consoles(account: Account, nodes: readonly Placed[]): Party["console"] {
  const regions = new Map(nodes.map(({ instance, region }) => [instance, region]));
  return async ({ instance = "" }) => await consoleOf(account.at(regions.get(instance) ?? ""), instance);
}
