import type { RoleName } from "../../roles/role.ts";

/** A node as far as an upgrade has to know it. */
export interface UpgradeNode {
  readonly id: string;
  readonly roles: readonly RoleName[];
  /** It is heard of, and all its components are ready. */
  readonly well: boolean;
  /** Why not, in a few words. */
  readonly why: string;
}

export interface UpgradeStep {
  readonly node: string;
  readonly roles: readonly RoleName[];
  /** The bundle it uses and the one that it gets. */
  readonly from: string;
  readonly to: string;
  /** False: it uses that bundle already, and is well. */
  readonly needed: boolean;
  /** Roles that nobody has while its agent starts anew. */
  readonly away: readonly RoleName[];
}

export interface UpgradePlan {
  /** In the order in which they are taken, one after the other. */
  readonly steps: readonly UpgradeStep[];
  /** Why it cannot be begun: sentences. */
  readonly refusals: readonly string[];
}

export interface Planning {
  /** All nodes of the cluster. */
  readonly nodes: readonly UpgradeNode[];
  /** Those that are to be upgraded: the bundle that each uses, and the one that it gets. */
  readonly wanted: ReadonlyMap<string, { readonly from: string; readonly to: string }>;
}

/**
 * One node after the other, so that never two with one role are away: first those whose loss is felt least, cores last.
 * What is away meanwhile must be covered by nodes that are well: otherwise two of a role would be away after all.
 */
export function planUpgrade({ nodes, wanted }: Planning): UpgradePlan {
  const mine = nodes.filter(({ id }) => wanted.has(id)).sort(byRank);
  const steps = mine.map((node): UpgradeStep => {
    const { from = "", to = "" } = wanted.get(node.id) ?? {};
    const needed = from !== to || !node.well;
    return { node: node.id, roles: node.roles, from, to, needed, away: needed ? soleRoles(node, nodes) : [] };
  });
  const busy = mine.filter((_, i) => steps[i]?.needed);
  return { steps, refusals: [...new Set(busy.flatMap((node) => uncovered(node, nodes)))] };
}

function rank({ roles }: UpgradeNode): number {
  if (roles.includes("core")) return 2;
  return roles.includes("controller") || roles.includes("router") ? 1 : 0;
}

function byRank(one: UpgradeNode, other: UpgradeNode): number {
  return rank(one) - rank(other) || one.id.localeCompare(other.id, "en", { numeric: true });
}

const holders = (role: RoleName, nodes: readonly UpgradeNode[]) => nodes.filter(({ roles }) => roles.includes(role));

function soleRoles(node: UpgradeNode, nodes: readonly UpgradeNode[]): RoleName[] {
  return node.roles.filter((role) => holders(role, nodes).length === 1);
}

/** Roles whose other nodes are not well enough to be left alone with them. */
function uncovered(node: UpgradeNode, nodes: readonly UpgradeNode[]): string[] {
  return node.roles.flatMap((role) => {
    const all = holders(role, nodes);
    const others = all.filter(({ id }) => id !== node.id);
    const ill = others.filter(({ well }) => !well);
    // Cores decide by majority, everybody else can do with one.
    const need = role === "core" ? Math.floor(all.length / 2) + 1 : 1;
    if (others.length === 0 || others.length - ill.length >= need) return [];
    const names = ill.map(({ id, why }) => `${id} (${why})`).join(", ");
    return [`the role ${role} would not be covered without ${node.id}: ${names} must be well first`];
  });
}

/** The plan for a person. */
export function planText({ steps }: UpgradePlan): string {
  const busy = steps.filter(({ needed }) => needed);
  if (busy.length === 0) return "nothing to do: every node uses this agent already";
  const widest = Math.max(...busy.map(({ node }) => node.length));
  return [
    "One node after the other; instances of apps are not touched:",
    ...busy.map(({ node, from, to, away }, i) => {
      const meanwhile = away.length > 0 ? `; for some seconds nobody is ${away.join(", ")}` : "";
      return `  ${String(i + 1).padStart(2)}  ${node.padEnd(widest)}  ${from || "?"} → ${to}${meanwhile}`;
    }),
    ...steps.filter(({ needed }) => !needed).map(({ node }) => `   –  ${node.padEnd(widest)}  is there already`),
  ].join("\n");
}
