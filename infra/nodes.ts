import { all, type ComponentResourceOptions, type Output, type Resource } from "@pulumi/pulumi";
import { userDataRenderer } from "../cloudinit/render.ts";
import type { Birth } from "../roles/birth.ts";
import type { PlannedNode } from "../roles/plan.ts";
import type { ClusterSpec } from "../roles/spec.ts";
import { type BirthFacts, birthOf } from "./births.ts";
import { gatesIn } from "./gate.ts";
import type { Ground } from "./ground.ts";
import { Node, type NodeArgs } from "./node.ts";
import { nodeTags, type Owned } from "./tags.ts";
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
interface Shared extends Pick<BirthFacts, "bundle" | "authority" | "ca" | "join" | "now"> {
  /** Secrets that stay here. */
  readonly forbid: readonly string[];
}

/** One wave of nodes after the other: a later one is told the addresses of the cores of the earlier ones too. */
export function declareNodes(args: NodesArgs): ReadonlyMap<string, Node> {
  const shared = sharedFacts(args.ground);
  const render = args.render ?? rendering();
  const gates = gatesIn(process.env);
  const declared = new Map<string, Node>();
  for (const wave of waves(args.nodes)) {
    const cores = args.nodes.filter(({ roles }) => roles.includes("core"));
    const facts = all([
      shared,
      all(cores.flatMap(({ id, address }) => address ?? declared.get(id)?.privateAddress ?? [])),
    ]);
    for (const node of wave) {
      const text = userData({ spec: args.spec, render }, node, facts);
      declared.set(node.id, declareNode(args, node, { userData: text, gates }));
    }
  }
  return declared;
}

function sharedFacts({ identity, depot, bundle }: Ground): Output<Shared> {
  const now = Date.now();
  const { version, sha256, mirrors = [] } = bundle;
  return all([identity.authority, depot.source, depot.authority]).apply(([known, source, authority]) => ({
    bundle: { version, sha256, sources: [source, ...mirrors] },
    authority,
    ...{ ca: known.certificate, join: known.join, now, forbid: [known.join, known.key] },
  }));
}

/** Nodes have the most of their user data in common, and the secrets that must not be in it. */
function rendering(): Render {
  const known = new Map<string, (birth: Birth) => Uint8Array>();
  return (birth, { forbid }) => {
    const secrets = forbid.join("\n");
    const renderer = known.get(secrets) ?? userDataRenderer({ forbid });
    known.set(secrets, renderer);
    return renderer(birth);
  };
}

interface Rendering {
  readonly spec: ClusterSpec;
  readonly render: Render;
}

/** Secret, because the join secret is, from which the claim is made. */
function userData({ spec, render }: Rendering, node: PlannedNode, known: Output<[Shared, string[]]>) {
  return known.apply(([{ forbid, ...facts }, cores]) => {
    const bytes = render(birthOf({ spec, node, cores, ...facts }), { forbid });
    return Buffer.from(bytes).toString("base64");
  });
}

function declareNode(
  { base, owned, ground, adopt, options }: NodesArgs,
  node: PlannedNode,
  given: Pick<NodeArgs, "userData" | "gates">,
): Node {
  const { network, depot, groups, image, newestImage, key } = ground;
  const group = groups.get(node.group);
  const args = {
    ...{ node, image, newestImage, key, ...given },
    subnet: network.subnets[node.zone] ?? "",
    walls: [network.members, ...(group ? [group.wall] : [])],
    profile: group?.profile ?? "",
    tags: nodeTags(owned, node),
    adopt: adopt?.[node.id],
  };
  // The agent has to be in the bucket before the first machine asks for it.
  return new Node(`${base}-${node.id}`, args, { ...options, dependsOn: [...depot.stock] });
}
