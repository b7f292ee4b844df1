import type { Api } from "../api.ts";
import { type Node, nodes } from "../cluster.ts";

/** What a machine has to know that is to become a node, beside its claim. */
export interface Newcomer {
  readonly cluster: string;
  readonly domain: string;
  readonly beat: number;
  readonly crashLifetime: number;
  readonly ports: Readonly<Record<string, unknown>>;
}

/** A node that was let in, as the cores have written it down. */
export interface Member {
  readonly id: string;
  readonly roles: readonly string[];
  /** IP; "" when another node has it now. */
  readonly address: string;
  /** EC2's name of the machine, or that of /etc/machine-id. */
  readonly instance: string;
  /** Unix milliseconds; absent: it belongs to the cluster. */
  readonly removed?: number;
  /** Instances of apps that it holds; absent where nobody knows. */
  readonly instances?: number;
}

export interface Members {
  /** Absent: the cluster is one machine, and takes no others. */
  readonly newcomer?: Newcomer;
  readonly members: readonly Member[];
}

/** What the cluster knows of its nodes: who was let in, and who is heard. */
export interface ClusterNodes extends Members {
  readonly nodes: readonly Node[];
}

export async function clusterNodes(api: Api): Promise<ClusterNodes> {
  const [heard, known] = await Promise.all([nodes(api), membersOf(api)]);
  return { nodes: heard, ...known };
}

/** A controller of before has no word for it. */
async function membersOf(api: Api): Promise<Members> {
  const answer = await api.maybe<{ newcomer?: Newcomer; resources: Member[] }>("/tutti/members");
  return { newcomer: answer?.newcomer, members: answer?.resources ?? [] };
}

export interface Claimed {
  readonly node: string;
  readonly roles: readonly string[];
  readonly claim: { id: string; roles: string[]; expires: string; secret: string };
  readonly cores: readonly string[];
  /** PEM. */
  readonly ca: string;
  readonly newcomer: Newcomer;
}

/** A claim for a machine. `replace`: another machine takes the place of the node that is there. */
export async function claimFor(
  api: Api,
  wanted: { node: string; roles: readonly string[]; replace: boolean },
): Promise<Claimed> {
  return await api.post<Claimed>("/tutti/claims", wanted);
}

/** It is heard of, and all its components are ready; else why not, in a few words. */
export function unwell(node: Node | undefined): string | undefined {
  if (!node) return "not heard of";
  if (node.state !== "UP") return "lost";
  const bad = node.components.filter(({ state }) => state !== "ready");
  if (bad.length > 0)
    return bad.map(({ name, state, reason }) => `${name} ${state}${reason ? `: ${reason}` : ""}`).join(", ");
  return node.components.length === 0 && node.roles.length > 0 ? "no component runs" : undefined;
}
