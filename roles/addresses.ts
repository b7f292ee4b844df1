import type { RoleName } from "./role.ts";
import type { ClusterSpec } from "./spec.ts";
import { addressIn, defaultNetwork, firstCore, subnets } from "./subnets.ts";

export interface Placed {
  readonly id: string;
  readonly roles: readonly RoleName[];
  /** On EC2 the whole name. */
  readonly zone: string;
}

/**
 * Core → its private address for life. Everybody has to know where the cores are, and knows it from birth: so the
 * addresses are chosen here, and neither a restart nor a new machine changes them. In a network that is made they are
 * the 10th of the zone's subnet and those after it, in the order of cluster.yaml; in one that exists, what the spec says.
 */
export function coreAddresses({ aws }: Pick<ClusterSpec, "aws">, nodes: readonly Placed[]): Map<string, string> {
  const cores = nodes.filter(({ roles }) => roles.includes("core"));
  if (!aws) return new Map();
  const { vpc, cidr = defaultNetwork, cores: said = {} } = aws.network;
  if (vpc) return new Map(Object.entries(said));
  const made = new Map(subnets(cidr, aws.zones).map((subnet) => [aws.region + subnet.zone, subnet]));
  return new Map(
    cores.flatMap(({ id, zone }, n): [string, string][] => {
      const subnet = made.get(zone);
      return subnet ? [[id, addressIn(subnet, firstCore + n)]] : [];
    }),
  );
}
