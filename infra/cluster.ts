import { ComponentResource, type ComponentResourceOptions, getStack, type Output, output } from "@pulumi/pulumi";
import type { PlannedNode } from "../roles/plan.ts";
import type { ClusterSpec } from "../roles/spec.ts";
import type { Bundle } from "./bundle.ts";
import { declareGround } from "./ground.ts";
import { declareNames } from "./names.ts";
import type { Node } from "./node.ts";
import { declareNodes, type Render } from "./nodes.ts";
import { apiUrl, type NodeOutcome, nextStep } from "./outcome.ts";
import { prepare } from "./prepare.ts";
import { providerFor } from "./provider.ts";
import { tokens, withFormer } from "./tokens.ts";

export interface ClusterArgs {
  /** What the cluster is: the path of a `cluster.yaml`, or what was read from one. */
  readonly spec: ClusterSpec | string;
  /** The agent that nodes fetch: a bundle's path, a directory of bundles (the newest is taken), or one described. */
  readonly bundle: Bundle | string;
  /** Machines that are there already: node → instance id. For a state that has lost them. */
  readonly adopt?: Readonly<Record<string, string>>;
  /** Birth → gzipped user data; default: what `cloudinit/` renders. */
  readonly render?: Render;
}

/** A cluster on EC2: its network, identity, bucket and nodes. Throws RunError for a spec or bundle that will not do. */
export class Cluster extends ComponentResource {
  readonly nodes: Output<NodeOutcome[]>;
  /** Where the API answers once the domain leads to the routers. */
  readonly api: string;
  /** Addresses of the routers. */
  readonly routers: Output<string[]>;
  /** What a person does next. */
  readonly next: Output<string>;
  /** PEM of the cluster's authority. */
  readonly ca: Output<string>;

  constructor(name: string, args: ClusterArgs, options?: ComponentResourceOptions) {
    const prepared = prepare(args);
    super(tokens.cluster.type, name, {}, withFormer(tokens.cluster, options));
    const { spec, aws, bundle, nodes, sshKey } = prepared;

    // Every name below carries the stack: the same cluster may stand twice in one account.
    const base = `${name}-${getStack()}`;
    const given = options?.provider ?? options?.providers;
    const mine = { parent: this, ...(!given && { provider: providerFor(base, aws.region, this) }) };
    const owned = { cluster: spec.name, stack: getStack(), aws };
    const ground = declareGround({ base, spec, aws, owned, bundle, sshKey, options: mine });
    const declared = declareNodes({
      base,
      spec,
      nodes,
      owned,
      ground,
      adopt: args.adopt,
      render: args.render,
      options: mine,
    });

    const routers = routersOf(nodes, declared);
    if (aws.dns) declareNames({ name: base, domain: spec.domain, zone: aws.dns.zone, routers, ...mine });
    this.ca = ground.identity.ca;
    this.api = apiUrl(spec);
    this.nodes = output(nodes.flatMap((node) => outcome(node, declared.get(node.id), ground.image)));
    this.routers = output(routers);
    this.next = this.routers.apply((addresses) => nextStep(spec, addresses));
    this.registerOutputs({ nodes: this.nodes, api: this.api, routers: this.routers, next: this.next });
  }
}

function routersOf(nodes: readonly PlannedNode[], declared: ReadonlyMap<string, Node>): Output<string>[] {
  const routers = nodes.filter(({ roles }) => roles.includes("router"));
  return routers.flatMap(({ id }) => declared.get(id)?.publicAddress ?? []);
}

function outcome(node: PlannedNode, declared: Node | undefined, image: Output<string>) {
  if (!declared) return [];
  const { type = "", spot = false, volume = 0 } = node.machine ?? {};
  const { instance, privateAddress, publicAddress } = declared;
  const planned = { id: node.id, roles: node.roles, zone: node.zone, type, spot, volume };
  return [{ ...planned, image, instance, privateAddress, publicAddress }];
}
