import type { RoleName } from "../roles/role.ts";
import type { ClusterSpec } from "../roles/spec.ts";

/** A node as the stack's output `nodes` tells it: what is there, for people and for programs. */
export interface NodeOutcome {
  readonly id: string;
  readonly roles: readonly RoleName[];
  readonly zone: string;
  readonly type: string;
  readonly spot: boolean;
  /** GiB. */
  readonly volume: number;
  readonly image: string;
  readonly instance: string;
  readonly privateAddress: string;
  readonly publicAddress: string;
}

export function apiUrl({ domain, ports }: Pick<ClusterSpec, "domain" | "ports">): string {
  return `http://api.${domain}${ports.router === 80 ? "" : `:${ports.router}`}`;
}

/** What a person does after `pulumi up`. `routers` are addresses. */
export function nextStep(spec: ClusterSpec, routers: readonly string[]): string {
  const target = `tutti target ${apiUrl(spec)}`;
  if (spec.aws?.dns) return target;
  return `point ${spec.domain} and *.${spec.domain} at ${routers.join(", ")}, then: ${target}`;
}
