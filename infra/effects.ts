import type { PlannedNode } from "../roles/plan.ts";
import type { RoleName } from "../roles/role.ts";
import type { NodeOutcome } from "./outcome.ts";

/**
 * What an `up` does to a node, the worst thing first: `refuse` is what EC2 will not do, `replace` loses what is on its
 * disk, `restart` stops and starts it, `change` is done while it runs.
 */
export const kinds = ["refuse", "delete", "replace", "restart", "change", "create"] as const;

export interface Effect {
  readonly node: string;
  readonly kind: (typeof kinds)[number];
  /** The roles that feel it. */
  readonly roles: readonly RoleName[];
  /** One sentence for each thing that differs. */
  readonly because: readonly string[];
}

/** What has to be known of a node that is there. */
export type Standing = Omit<NodeOutcome, "instance" | "publicAddress">;

/**
 * What becomes of the nodes that are there. `before` is the stack's output `nodes`, or the machines of its state. `image` is the id that the spec
 * names, undefined when it is looked up by name: a newer one replaces nobody.
 */
export function effects(before: readonly Standing[], after: readonly PlannedNode[], image?: string): Effect[] {
  const wanted = new Set(after.map(({ id }) => id));
  const gone = before
    .filter(({ id }) => !wanted.has(id))
    .map(({ id, roles }): Effect => ({ node: id, kind: "delete", roles, because: ["cluster.yaml has it no longer"] }));
  const alone = before.filter(({ roles }) => roles.includes("core")).length === 1;
  const others = after.flatMap((node) => {
    const now = before.find(({ id }) => id === node.id);
    return now ? changed(now, node, { image, alone }) : [born(node)];
  });
  return [...gone, ...others].sort((one, other) => kinds.indexOf(one.kind) - kinds.indexOf(other.kind));
}

function born({ id, roles }: PlannedNode): Effect {
  return { node: id, kind: "create", roles, because: ["cluster.yaml has it, EC2 has not"] };
}

type Difference = readonly [Effect["kind"], string];

interface Around {
  readonly image: string | undefined;
  /** True when there is one core only. */
  readonly alone: boolean;
}

function changed(now: Standing, node: PlannedNode, { image, alone }: Around): Effect[] {
  const found = [...differences(now, node, image)];
  const worst = kinds.find((kind) => found.some(([one]) => one === kind));
  if (!worst) return [];
  const besides = worst === "replace" ? consequences(now, node, alone) : [];
  return [{ node: node.id, kind: worst, roles: now.roles, because: [...found.map(([, why]) => why), ...besides] }];
}

function consequences({ roles }: Standing, { address }: PlannedNode, alone: boolean): string[] {
  const place = address ? [`the old machine goes first: ${address} is its place`] : [];
  const memory =
    alone && roles.includes("core") ? ["it is the only core: what the cluster remembers goes with it"] : [];
  return [...place, ...memory];
}

function* differences(now: Standing, node: PlannedNode, image?: string): Generator<Difference> {
  const { zone, roles, machine, address = now.privateAddress } = node;
  const { type = now.type, spot = now.spot, volume = now.volume } = machine ?? {};
  if (image && image !== now.image) yield ["replace", `another image: ${now.image} → ${image}`];
  if (zone !== now.zone) yield ["replace", `another zone: ${now.zone} → ${zone}`];
  if (spot !== now.spot) yield ["replace", spot ? "from on-demand to spot" : "from spot to on-demand"];
  if (now.privateAddress && address !== now.privateAddress)
    yield ["replace", `another address: ${now.privateAddress} → ${address}`];
  if (type !== now.type) yield ["restart", `another size: ${now.type} → ${type}`];
  if (volume > now.volume) yield ["change", `a larger disk: ${now.volume} → ${volume} GiB`];
  if (volume < now.volume) yield ["refuse", `a smaller disk: ${now.volume} → ${volume} GiB; a disk only grows`];
  if (roles.join() !== now.roles.join())
    yield [
      "change",
      `other roles: ${now.roles.join(", ")} → ${roles.join(", ")}; tags, firewall rules and rights only`,
    ];
}
