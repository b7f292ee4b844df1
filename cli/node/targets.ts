import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Target } from "../../bootstrap/target.ts";
import { hostTarget, usualUser } from "../bootstrap/hosts.ts";
import type { Call } from "../call.ts";
import { tuttiHome } from "../cluster/offline/place.ts";
import { wrongUsage } from "../fault.ts";
import type { ClusterNodes } from "./membership.ts";
import { remembered } from "./notebook.ts";
import { machinesOnEc2, targetOn } from "./onEc2.ts";

/** A machine as `user@host:port` on the command line. Throws a Fault for what is none. */
export function typedTarget(call: Call, typed: string): Target {
  try {
    return hostTarget(typed, call.text("user"));
  } catch {
    throw wrongUsage(`"${typed}" is no machine`, "write user@host or user@host:port, e.g. admin@10.0.0.7");
  }
}

export interface Wanted {
  readonly nodes: readonly string[];
  /** Base URL of the API; "" when there is none. */
  readonly api: string;
  readonly known: ClusterNodes;
  /** Nodes that no core has let in are looked for on EC2 too. */
  readonly unborn?: boolean;
}

/**
 * Where the ssh of nodes answers: as it was typed, as the notebook has it (nodes that were attached by hand), as first
 * contact found it, as AWS's tags tell, else at the address that the cluster knows them by.
 */
export async function targetsOf(call: Call, wanted: Wanted): Promise<Map<string, Target>> {
  const { nodes, api, known } = wanted;
  const typed = call.text("host");
  if (typed !== undefined) return new Map([[onlyOne(nodes, typed), typedTarget(call, typed)]]);
  const [own, contacted] = [await remembered(call.io.env, api), contactedAt(call.io.env, api)];
  const kept = (node: string) => (own[node] ? { ...own[node], name: node } : contacted.get(node));
  const tagged = await byTags(call, { ...wanted, nodes: nodes.filter((node) => !kept(node)) });
  const found = nodes.flatMap((node): [string, Target][] => {
    const target = kept(node) ?? tagged.get(node) ?? heardAt(node, known);
    return target ? [[node, { ...target, user: call.text("user") ?? target.user }]] : [];
  });
  return new Map(found);
}

function onlyOne(nodes: readonly string[], typed: string): string {
  const [only] = nodes;
  if (only !== undefined && nodes.length === 1) return only;
  throw wrongUsage("--host is for one node", `name the one: tutti node upgrade NODE --host ${typed}`);
}

function heardAt(node: string, { nodes, members }: ClusterNodes): Target | undefined {
  const address = [...nodes, ...members].find(({ id, address: host }) => id === node && host)?.address;
  return address ? { name: node, host: address, port: 22, user: usualUser } : undefined;
}

/** What `tutti bootstrap` has written down of its contact with the cluster of this API. */
function contactedAt(env: NodeJS.ProcessEnv, api: string): Map<string, Target> {
  const found = new Map<string, Target>();
  for (const file of globSync(join(tuttiHome(env), "bootstrap", "receipt-*.json"))) {
    const receipt = readReceipt(file);
    if (receipt?.api !== api) continue;
    for (const { id, ssh, instance } of receipt.nodes ?? []) {
      const [, host, port] = /^(.*):(\d+)$/.exec(ssh) ?? [];
      if (host) found.set(id, { name: id, instance, host, port: Number(port), user: usualUser });
    }
  }
  return found;
}

interface KeptReceipt {
  readonly api?: string;
  readonly nodes?: readonly { readonly id: string; readonly ssh: string; readonly instance?: string }[];
}

function readReceipt(file: string): KeptReceipt | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as KeptReceipt;
  } catch {
    // It is first contact's own: who runs that again is told.
    return undefined;
  }
}

/** Machines on EC2 are reached at their public addresses, which the cluster does not know. */
async function byTags(call: Call, { nodes, known, unborn }: Wanted): Promise<Map<string, Target>> {
  const instanceOf = (node: string) => known.members.find(({ id }) => id === node)?.instance;
  const wanted = nodes.filter((node) => /^i-/.test(instanceOf(node) ?? "") || (unborn && !instanceOf(node)));
  if (wanted.length === 0) return new Map();
  const found = await machinesOnEc2(call).catch((error: Error) => {
    if (!unborn) call.io.note(`note: AWS cannot be asked for public addresses (${error.message.split("\n")[0]})`);
    return [];
  });
  const targets = wanted.flatMap((node): [string, Target][] => {
    const instance = instanceOf(node);
    const one = found.find(({ id, node: name }) => (instance ? id === instance : name === node));
    return one ? [[node, targetOn(call, node, one)]] : [];
  });
  return new Map(targets);
}
