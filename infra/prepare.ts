import { RunError } from "@pulumi/pulumi/errors.js";
import type { AwsSpec } from "../roles/aws.ts";
import { type PlannedNode, plan } from "../roles/plan.ts";
import type { ClusterSpec } from "../roles/spec.ts";
import { crowded, defaultNetwork, subnets } from "../roles/subnets.ts";
import type { Bundle } from "./bundle.ts";
import { directoryOf, readBundle, readCluster, readPublicKey } from "./sources.ts";

/** All that is known before anything is declared. */
export interface Prepared {
  readonly spec: ClusterSpec;
  readonly aws: AwsSpec;
  readonly bundle: Bundle;
  readonly nodes: readonly PlannedNode[];
  /** Text of a public key. */
  readonly sshKey: string | undefined;
}

export interface Given {
  readonly spec: ClusterSpec | string;
  readonly bundle: Bundle | string;
  /** A public key or its file, in place of the spec's: an example's key is in nobody's home. Default: TUTTI_SSH_KEY. */
  readonly sshKey?: string;
}

/** Reads and checks what a cluster is made of. Throws RunError: what cannot work is refused before EC2 is asked. */
export function prepare({ sshKey: own = process.env["TUTTI_SSH_KEY"], ...args }: Given): Prepared {
  const spec = typeof args.spec === "string" ? readCluster(args.spec) : args.spec;
  const aws = groundOf(spec);
  const nodes = plan(spec);
  refuseCrowds(aws, nodes);
  const sshKey = aws.ssh && readPublicKey(own || aws.ssh.key, own ? process.cwd() : directoryOf(args.spec));
  const bundle = typeof args.bundle === "string" ? readBundle(args.bundle, aws.architecture) : args.bundle;
  return { spec, aws, bundle, nodes, sshKey };
}

function groundOf({ name, aws }: ClusterSpec): AwsSpec {
  if (aws) return aws;
  throw new RunError(`cluster ${name} has no ground: add the section aws to its cluster.yaml (region, owner, ssh …)`);
}

function refuseCrowds({ network, zones }: AwsSpec, nodes: readonly PlannedNode[]): void {
  if (network.vpc) return;
  const planned = subnets(network.cidr ?? defaultNetwork, zones);
  const taken = nodes.map(({ zone }) => zone);
  const problems = crowded(planned, taken);
  if (problems.length > 0) throw new RunError(problems.join("\n"));
}
