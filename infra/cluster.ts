import { ComponentResource, type ComponentResourceOptions, getStack, type Output, output } from "@pulumi/pulumi";
import type { PlannedNode } from "../roles/plan.ts";
import type { ClusterSpec } from "../roles/spec.ts";
import type { Bundle } from "./bundle.ts";
import { declareGround } from "./ground.ts";
import { declareNames } from "./names.ts";
import type { Node } from "./node.ts";
import { declareNodes, type Render } from "./nodes.ts";
import { apiUrl, type NodeOutcome, nextStep } from "./outcome.ts";
import { outcomes } from "./outcomes.ts";
import { type Prepared, prepare } from "./prepare.ts";
import { providerFor } from "./provider.ts";
import { tokens, withFormer } from "./tokens.ts";
import { untraced } from "./untraced.ts";

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

interface Wishes extends Pick<ClusterArgs, "adopt" | "render"> {
  readonly options: ComponentResourceOptions | undefined;
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
    const prepared = prepare({ spec: args.spec, bundle: args.bundle });
    super(tokens.cluster.type, name, {}, withFormer(tokens.cluster, options));
    const { spec, nodes } = prepared;
    const { declared, ground, routers } = untraced(() => this.#declare(name, prepared, { ...args, options }));
    this.ca = ground.identity.ca;
    this.api = apiUrl(spec);
    this.nodes = outcomes(nodes, declared);
    this.routers = output(routers);
    this.next = this.routers.apply((addresses) => nextStep(spec, addresses));
    // The nodes are in the stack's outputs: a thousand of them need not be in the state twice.
    this.registerOutputs({ api: this.api, routers: this.routers, next: this.next });
  }

  #declare(name: string, { spec, aws, bundle, nodes, sshKey }: Prepared, { adopt, render, options: given }: Wishes) {
    // Every name below carries the stack: the same cluster may stand twice in one account.
    const base = `${name}-${getStack()}`;
    const own = !given?.provider && !given?.providers;
    const options = { parent: this, ...(own && { provider: providerFor(base, aws.region, this) }) };
    const owned = { cluster: spec.name, stack: getStack(), aws };
    const ground = declareGround({ base, spec, aws, owned, bundle, sshKey, options });
    const declared = declareNodes({ base, spec, nodes, owned, ground, adopt, render, options });
    const routers = routersOf(nodes, declared);
    if (aws.dns) declareNames({ name: base, domain: spec.domain, zone: aws.dns.zone, routers, ...options });
    return { ground, declared, routers };
  }
}

function routersOf(nodes: readonly PlannedNode[], declared: ReadonlyMap<string, Node>): Output<string>[] {
  const routers = nodes.filter(({ roles }) => roles.includes("router"));
  return routers.flatMap(({ id }) => declared.get(id)?.publicAddress ?? []);
}
