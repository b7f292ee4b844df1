import { getAmiOutput } from "@pulumi/aws/ec2/getAmi.js";
import { KeyPair } from "@pulumi/aws/ec2/keyPair.js";
import { type ComponentResourceOptions, type Output, output, type Resource } from "@pulumi/pulumi";
import type { AwsSpec } from "../roles/aws.ts";
import type { ClusterSpec } from "../roles/spec.ts";
import type { Bundle } from "./bundle.ts";
import { Depot } from "./depot.ts";
import { Group } from "./group.ts";
import { Identity } from "./identity.ts";
import { imageSearch } from "./images.ts";
import { Network } from "./network.ts";
import { doors, openings } from "./ports.ts";
import { clusterTags, type Owned } from "./tags.ts";

export interface GroundArgs {
  /** What every name begins with. */
  readonly base: string;
  readonly spec: ClusterSpec;
  readonly aws: AwsSpec;
  readonly owned: Owned;
  readonly bundle: Bundle;
  /** Text of a public key. */
  readonly sshKey?: string;
  readonly options: ComponentResourceOptions & { readonly parent: Resource };
}

/** All that has to be there before the first node. */
export interface Ground {
  readonly identity: Identity;
  readonly network: Network;
  readonly depot: Depot;
  readonly bundle: Bundle;
  /** Name of a node group → what follows from its roles. */
  readonly groups: ReadonlyMap<string, Group>;
  /** Name of the key pair. */
  readonly key: Output<string> | undefined;
  readonly image: Output<string>;
  readonly newestImage: boolean;
}

export function declareGround({ base, spec, aws, owned, bundle, sshKey, options }: GroundArgs): Ground {
  const tags = clusterTags(owned);
  const identity = new Identity(base, { cluster: spec.name }, options);
  const network = new Network(base, { aws, doors: doors(spec), tags }, options);
  const stock = { bucket: aws.bucket, bundle, authority: identity.authority, tags };
  const depot = new Depot(base, stock, options);
  const key = sshKey ? new KeyPair(base, { publicKey: sshKey, tags }, options).keyName : undefined;
  const search = imageSearch(aws);
  return {
    ...{ identity, network, depot, bundle, key },
    groups: declareGroups({ base, spec, owned, options }, network, depot),
    image: search ? newest(search, options) : output(aws.image),
    newestImage: search !== undefined,
  };
}

type Common = Pick<GroundArgs, "base" | "spec" | "owned" | "options">;

function declareGroups({ base, spec, owned, options }: Common, network: Network, depot: Depot): Map<string, Group> {
  const place = { vpc: network.vpc, members: network.members, bucket: depot.arn };
  return new Map(
    spec.nodes.map(({ name, roles }) => {
      const args = { ...place, roles, openings: openings(spec, roles), tags: clusterTags(owned, name) };
      return [name, new Group(`${base}-${name}`, args, options)];
    }),
  );
}

function newest({ owner, name }: NonNullable<ReturnType<typeof imageSearch>>, options: ComponentResourceOptions) {
  const { parent } = options;
  const filters = [{ name: "name", values: [name] }];
  return getAmiOutput({ owners: [owner], mostRecent: true, filters }, { ...options, parent }).id;
}
