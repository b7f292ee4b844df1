import type { MemberView } from "../engine/membership.ts";
import type { NodeView } from "../engine.ts";

export interface Leaving {
  readonly id: string;
  readonly nodes: readonly NodeView[];
  readonly members: readonly MemberView[];
  /** Instances that the node holds are given up. */
  readonly force: boolean;
}

/** Roles that a cluster cannot be without. */
const needed = ["core", "controller", "router"] as const;

/** Why a node may not be removed: a sentence with what to do; undefined when it may. Pure. */
export function whyItStays({ id, nodes, members, force }: Leaving): string | undefined {
  const one = members.find((each) => each.id === id);
  const roles = one?.roles ?? nodes.find((each) => each.id === id)?.roles ?? [];
  const gone = new Set(members.filter(({ removed }) => removed !== undefined).map((each) => each.id));
  const others = nodes.filter((each) => each.id !== id && each.state === "UP" && !gone.has(each.id));
  const last = needed.filter((role) => roles.includes(role) && !others.some((each) => each.roles.includes(role)));
  if (last.length > 0)
    return `${id} is the last node with the role ${last.join(" and the role ")}: give it to another node first`;
  const { instances = 0 } = one ?? {};
  if (instances === 0 || force) return undefined;
  if (instances === 1)
    return `${id} still holds an instance of an app: stop it or wait until it has moved, or force it: then it is started elsewhere`;
  return `${id} still holds ${instances} instances of apps: stop them or wait until they have moved, or force it: then they are started elsewhere`;
}
