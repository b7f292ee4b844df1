import { all, type ComponentResourceOptions, type Output, type Resource, secret } from "@pulumi/pulumi";
import { renderUserData } from "../cloudinit/render.ts";
import type { Birth } from "../roles/birth.ts";
import type { PlannedNode } from "../roles/plan.ts";
import type { ClusterSpec } from "../roles/spec.ts";
import { birthOf } from "./births.ts";
import type { Ground } from "./ground.ts";
import { Node } from "./node.ts";
import { nodeTags, type Owned } from "./tags.ts";
import { waves } from "./waves.ts";

export type Render = (birth: Birth) => Uint8Array | Promise<Uint8Array>;

export interface NodesArgs {
  readonly base: string;
  readonly spec: ClusterSpec;
  readonly nodes: readonly PlannedNode[];
  readonly owned: Owned;
  readonly ground: Ground;
  readonly adopt?: Readonly<Record<string, string>>;
  readonly render?: Render;
  readonly options: ComponentResourceOptions & { readonly parent: Resource };
}

/** What all births have in common, once it is known. */
type Shared = Pick<Parameters<typeof birthOf>[0], "bundle" | "ca" | "join" | "now">;

/** One node after the other wave of nodes: a later one is told the addresses of the cores of the earlier ones. */
export function declareNodes(args: NodesArgs): ReadonlyMap<string, Node> {
  const shared = sharedFacts(args.ground);
  const declared = new Map<string, Node>();
  for (const wave of waves(args.nodes)) {
    const cores = args.nodes.filter(({ id, roles }) => declared.has(id) && roles.includes("core"));
    const known = all(cores.flatMap(({ id }) => declared.get(id)?.privateAddress ?? []));
    for (const node of wave) declared.set(node.id, declareNode(args, node, userData(args, node, all([shared, known]))));
  }
  return declared;
}

function sharedFacts({ identity, depot, bundle }: Ground): Output<Shared> {
  const now = Date.now();
  const { version, sha256, mirrors = [] } = bundle;
  return all([identity.authority, depot.source]).apply(([{ certificate, join }, source]) => ({
    bundle: { version, sha256, sources: [source, ...mirrors] },
    ...{ ca: certificate, join, now },
  }));
}

function userData({ spec, render = renderUserData }: NodesArgs, node: PlannedNode, facts: Output<[Shared, string[]]>) {
  return secret(
    facts.apply(async ([shared, cores]) =>
      Buffer.from(await render(birthOf({ spec, node, cores, ...shared }))).toString("base64"),
    ),
  );
}

function declareNode(
  { base, owned, ground, adopt, options }: NodesArgs,
  node: PlannedNode,
  text: Output<string>,
): Node {
  const { network, depot, groups, image, newestImage, key } = ground;
  const group = groups.get(node.group);
  const args = {
    ...{ node, image, newestImage, key, userData: text },
    subnet: network.subnets[node.zone] ?? "",
    walls: [network.members, ...(group ? [group.wall] : [])],
    profile: group?.profile ?? "",
    tags: nodeTags(owned, node),
    adopt: adopt?.[node.id],
  };
  // The agent has to be in the bucket before the first machine asks for it.
  return new Node(`${base}-${node.id}`, args, { ...options, dependsOn: [...depot.stock] });
}
