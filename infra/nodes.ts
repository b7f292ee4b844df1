import { all, type ComponentResourceOptions, type Output, type Resource, secret } from "@pulumi/pulumi";
import { renderUserData } from "../cloudinit/render.ts";
import type { Birth } from "../roles/birth.ts";
import type { PlannedNode } from "../roles/plan.ts";
import type { ClusterSpec } from "../roles/spec.ts";
import { type BirthFacts, birthOf } from "./births.ts";
import type { Ground } from "./ground.ts";
import { Node } from "./node.ts";
import { nodeTags, type Owned } from "./tags.ts";
import { untraced } from "./untraced.ts";
import { waves } from "./waves.ts";

/** `forbid`: secrets that must not be in what comes out. */
export type Render = (birth: Birth, options: { readonly forbid: readonly string[] }) => Uint8Array;

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
interface Shared extends Pick<BirthFacts, "bundle" | "ca" | "join" | "now"> {
  /** Secrets that stay here. */
  readonly forbid: readonly string[];
}

/** One wave of nodes after the other: a later one is told the addresses of the cores of the earlier ones. */
export function declareNodes(args: NodesArgs): ReadonlyMap<string, Node> {
  const shared = sharedFacts(args.ground);
  const declared = new Map<string, Node>();
  for (const wave of waves(args.nodes)) {
    const cores = args.nodes.filter(({ id, roles }) => declared.has(id) && roles.includes("core"));
    const facts = all([shared, all(cores.flatMap(({ id }) => declared.get(id)?.privateAddress ?? []))]);
    untraced(() => {
      for (const node of wave) declared.set(node.id, declareNode(args, node, userData(args, node, facts)));
    });
  }
  return declared;
}

function sharedFacts({ identity, depot, bundle }: Ground): Output<Shared> {
  const now = Date.now();
  const { version, sha256, mirrors = [] } = bundle;
  return all([identity.authority, depot.source]).apply(([{ certificate, key, join }, source]) => ({
    bundle: { version, sha256, sources: [source, ...mirrors] },
    ...{ ca: certificate, join, now, forbid: [join, key] },
  }));
}

function userData({ spec, render = renderUserData }: NodesArgs, node: PlannedNode, known: Output<[Shared, string[]]>) {
  const text = known.apply(([{ forbid, ...facts }, cores]) => {
    const bytes = render(birthOf({ spec, node, cores, ...facts }), { forbid });
    return Buffer.from(bytes).toString("base64");
  });
  return secret(text);
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
