import { makeClaim } from "../pki/claim.ts";
import type { Birth } from "../roles/birth.ts";
import type { PlannedNode } from "../roles/plan.ts";
import { portRange } from "../roles/set.ts";
import type { ClusterSpec } from "../roles/spec.ts";

export interface BirthFacts {
  readonly spec: ClusterSpec;
  readonly node: PlannedNode;
  /** Addresses of the cores, as far as they are known before this node is born: its own too. */
  readonly cores: readonly string[];
  /** `s3://bucket/key` of the cluster's authority. */
  readonly authority: string;
  readonly bundle: Birth["bundle"];
  /** PEM. */
  readonly ca: string;
  /** The cluster's join secret: stays here, only the claim made with it goes out. */
  readonly join: string;
  readonly now: number;
}

/** What a node is told when it is born. */
export function birthOf({ spec, node, cores, authority, bundle, ca, join, now }: BirthFacts): Birth {
  const { router, controller, nats, routes, files } = spec.ports;
  return {
    node: {
      id: node.id,
      cluster: spec.name,
      domain: spec.domain,
      roles: [...node.roles],
      index: node.index,
      zone: node.zone,
      beat: spec.beat,
      ports: {
        ...{ router, controller, nats, routes, files },
        instances: portRange(spec, "instances"),
        status: portRange(spec, "status"),
      },
      crashLifetime: spec.crashLifetime,
      ...(node.memory !== undefined && { memory: node.memory }),
      ...(node.disk !== undefined && { disk: node.disk }),
    },
    cores: [...cores],
    ...(node.roles.includes("core") && { authority }),
    bundle,
    region: spec.aws?.region ?? "",
    ca,
    claim: makeClaim({ join, node: node.id, roles: node.roles, now }),
    baked: spec.aws?.baked ?? false,
  };
}
