/** A subnet that is made. */
export interface PlannedSubnet {
  /** Letter of the zone. */
  readonly zone: string;
  readonly cidr: string;
  /** Addresses for machines: EC2 keeps five for itself. */
  readonly room: number;
}

/** Zones a to p have a sixteenth of the network each, taken or not: a zone that comes later moves no other's subnet. */
const shareBits = 4;

export const defaultNetwork = "10.20.0.0/16";

/** Subnets of a network, one for each zone. The network is /16 to /24, as the spec's check has seen to. */
export function subnets(network: string, zones: readonly string[]): PlannedSubnet[] {
  const [base = "", prefix = "16"] = network.split("/");
  const bits = Number(prefix) + shareBits;
  const size = 2 ** (32 - bits);
  const start = Math.floor(toNumber(base) / (size << shareBits)) * (size << shareBits);
  return zones.map((zone) => {
    const share = zone.charCodeAt(0) - "a".charCodeAt(0);
    return { zone, cidr: `${toText(start + share * size)}/${bits}`, room: size - 5 };
  });
}

/** The nth address of a subnet, from 0. */
export function addressIn({ cidr }: Pick<PlannedSubnet, "cidr">, n: number): string {
  return toText(toNumber(cidr.split("/")[0] ?? "") + n);
}

/** Where the cores of a subnet begin. There are five at most: the addresses 10 to 14. */
export const firstCore = 10;

/**
 * What nobody but cores shall get: the blocks that hold their addresses, as reservations of a subnet have to be written.
 * The last address of the smallest subnet is EC2's own and stays out.
 */
export function coreBlocks(subnet: PlannedSubnet): string[] {
  const blocks =
    subnet.room > 11
      ? [[8, 29] as const]
      : ([
          [8, 30],
          [12, 31],
          [14, 32],
        ] as const);
  return blocks.map(([n, bits]) => `${addressIn(subnet, n)}/${bits}`);
}

function toNumber(address: string): number {
  return address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
}

function toText(address: number): string {
  return [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join(".");
}

/** Zones with more nodes than their subnet has room for, as a sentence each. Full names of zones in, sentences out. */
export function crowded(planned: readonly PlannedSubnet[], zones: readonly string[]): string[] {
  return planned.flatMap(({ zone, cidr, room }) => {
    const nodes = zones.filter((name) => name.endsWith(zone)).length;
    if (nodes <= room) return [];
    return [
      `aws.network.cidr: zone ${zone} has room for ${room} nodes (${cidr}) and gets ${nodes}: write a larger network`,
    ];
  });
}
