import { tagKeys } from "./tags.ts";

/** Kinds of things that a cluster is made of, in the order in which they can be removed. */
export const foundKinds = [
  "instance",
  "address",
  "volume",
  "firewall",
  "subnet",
  "route-table",
  "gateway",
  "network",
  "key",
  "profile",
  "role",
  "bucket",
] as const;
export type FoundKind = (typeof foundKinds)[number];

/** Something on AWS that carries our tags. What is not known is "". */
export interface Found {
  readonly kind: FoundKind;
  /** What AWS calls it: `i-…`, `vpc-…`, the name of a key, role, profile or bucket. */
  readonly id: string;
  /** "" for roles and profiles: they are of the whole account. */
  readonly region: string;
  readonly cluster: string;
  readonly stack: string;
  /** "-" on what all nodes share. */
  readonly node: string;
  readonly owner: string;
  /** `never`, a day or an instant. */
  readonly expires: string;
  /** Unix milliseconds; undefined when AWS does not tell. */
  readonly created?: number | undefined;
  /** Of instances. */
  readonly machine?: Machine | undefined;
  /** Of volumes: GiB. */
  readonly gib?: number | undefined;
  /** Of addresses and volumes: the instance that has it; "" for none. */
  readonly heldBy?: string | undefined;
  /** Of addresses. */
  readonly ip?: string | undefined;
  /** Of subnets. */
  readonly zone?: string | undefined;
}

export interface Machine {
  readonly group: string;
  readonly roles: readonly string[];
  /** pending, running, stopping, stopped, shutting-down. Those that are gone are not listed. */
  readonly state: string;
  readonly type: string;
  readonly spot: boolean;
  readonly zone: string;
  readonly image: string;
  readonly privateAddress: string;
  readonly publicAddress: string;
  /** Id of its network and of its subnet. */
  readonly network: string;
  readonly subnet: string;
}

export interface AwsTag {
  readonly Key?: string | undefined;
  readonly Value?: string | undefined;
}

/** Our own words among AWS's tags; undefined for what is not ours. */
export function marksOf(tags: readonly AwsTag[] = []) {
  const of = (key: string) => tags.find(({ Key }) => Key === key)?.Value;
  const cluster = of(tagKeys.cluster);
  if (cluster === undefined) return undefined;
  const { stack, node, owner, expires, group, roles } = tagKeys;
  return {
    ...{ cluster, stack: of(stack) ?? "", node: of(node) ?? "-" },
    ...{ owner: of(owner) ?? "", expires: of(expires) ?? "never" },
    ...{ group: of(group) ?? "", roles: (of(roles) ?? "").split(",").filter(Boolean) },
  };
}

/** `trio/dev`: one account may hold the same cluster twice. */
export function stackOf({ cluster, stack }: Pick<Found, "cluster" | "stack">): string {
  return `${cluster}/${stack}`;
}

/** A machine that works or could be made to: not one that is going. */
export function isAlive({ machine }: Found): boolean {
  return machine !== undefined && machine.state !== "shutting-down" && machine.state !== "terminated";
}
