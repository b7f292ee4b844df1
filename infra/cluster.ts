import { getAmiOutput } from "@pulumi/aws/ec2/getAmi.js";
import { KeyPair } from "@pulumi/aws/ec2/keyPair.js";
import {
  all,
  ComponentResource,
  type ComponentResourceOptions,
  getStack,
  type Input,
  type Output,
  output,
  RunError,
} from "@pulumi/pulumi";
import type { AwsSpec } from "../roles/aws.ts";
import type { Birth } from "../roles/birth.ts";
import { type PlannedNode, plan } from "../roles/plan.ts";
import type { ClusterSpec } from "../roles/spec.ts";
import { birthOf } from "./births.ts";
import type { Bundle } from "./bundle.ts";
import { Depot } from "./depot.ts";
import { Group } from "./group.ts";
import { Identity } from "./identity.ts";
import { imageSearch } from "./images.ts";
import { declareNames } from "./names.ts";
import { Network } from "./network.ts";
import { Node } from "./node.ts";
import { apiUrl, type NodeOutcome, nextStep } from "./outcome.ts";
import { doors, openings } from "./ports.ts";
import { providerFor } from "./provider.ts";
import { directoryOf, readBundle, readCluster, readPublicKey } from "./sources.ts";
import { crowded, defaultNetwork, subnets } from "./subnets.ts";
import { clusterTags, nodeTags, type Owned } from "./tags.ts";
import { tokens, withFormer } from "./tokens.ts";

export interface ClusterArgs {
  /** What the cluster is: the path of a `cluster.yaml`, or what was read from one. */
  readonly spec: ClusterSpec | string;
  /** The agent that nodes fetch: a bundle's path, a directory of bundles (the newest is taken), or one described. */
  readonly bundle: Bundle | string;
  /** Machines that are there already: node → instance id. For a state that has lost them. */
  readonly adopt?: Readonly<Record<string, string>>;
  /** Birth → gzipped user data. */
  readonly render?: (birth: Birth) => Uint8Array | Promise<Uint8Array>;
}

/** What every node needs of what is declared before the nodes. */
interface Ground {
  readonly base: string;
  readonly owned: Owned;
  readonly aws: AwsSpec;
  readonly identity: Identity;
  readonly network: Network;
  readonly depot: Depot;
  readonly bundle: Birth["bundle"] | Output<Birth["bundle"]>;
  readonly groups: ReadonlyMap<string, Group>;
  readonly key?: Input<string>;
  readonly image: Input<string>;
  readonly now: number;
}
