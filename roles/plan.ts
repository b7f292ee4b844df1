import { coreAddresses } from "./addresses.ts";
import { defaultInstanceType } from "./instanceTypes.ts";
import type { RoleName } from "./role.ts";
import type { ClusterSpec, NodeGroup } from "./spec.ts";

/** A node that should be there. */
export interface PlannedNode {
  /** `<group>-<n>`: stays the same when other groups come, go or grow. */
  readonly id: string;
  readonly group: string;
  /** The n of the id. */
  readonly index: number;
  readonly roles: readonly RoleName[];
  /** On EC2 the whole name, such as eu-central-1a. */
  readonly zone: string;
  /** Its private address for life: of cores on EC2. Absent: EC2 chooses one. */
  readonly address?: string;
  /** MiB that apps may use; absent: the machine decides. */
  readonly memory?: number;
  readonly disk?: number;
  /** Only on EC2. `volume` is in GiB. */
  readonly machine?: { readonly type: string; readonly volume: number; readonly spot: boolean };
}

/**
 * Every node of a spec, group by group. Depends on nothing but the node's own group and number; only the addresses of
 * cores follow from the order of all cores.
 */
export function plan(spec: ClusterSpec): PlannedNode[] {
  const nodes = spec.nodes.flatMap((group) => planGroup(spec, group));
  const addresses = coreAddresses(spec, nodes);
  return nodes.map((node) => (addresses.has(node.id) ? { ...node, address: addresses.get(node.id) } : node));
}

function planGroup(spec: ClusterSpec, group: NodeGroup): PlannedNode[] {
  return Array.from({ length: group.count }, (_, index) => ({
    id: `${group.name}-${index}`,
    group: group.name,
    index,
    roles: group.roles,
    zone: zoneOf(spec, group, index),
    memory: group.memory,
    disk: group.disk,
    machine: spec.aws && {
      type: group.instanceType ?? defaultInstanceType(spec.aws.architecture),
      volume: group.volume ?? 20,
      spot: group.spot ?? false,
    },
  }));
}

function zoneOf({ aws }: ClusterSpec, group: NodeGroup, index: number): string {
  if (!aws) return group.zone;
  const zones = group.zones ?? aws.zones;
  return `${aws.region}${zones[index % zones.length]}`;
}
