/** The network as it should be: all that the router, the firewall and the machines' services have to know. */
export interface Picture {
  readonly networks: readonly Network[];
  readonly groups: readonly SecurityGroup[];
  readonly hosts: readonly Host[];
}

export interface Network {
  /** `vpc-…` */
  readonly id: string;
  readonly cidr: string;
  readonly subnets: readonly Subnet[];
}

export interface Subnet {
  /** `subnet-…` */
  readonly id: string;
  readonly cidr: string;
}

export interface SecurityGroup {
  /** `sg-…` */
  readonly id: string;
  readonly inward: readonly Permission[];
  readonly outward: readonly Permission[];
}

/** What a rule of a security group lets through. */
export interface Permission {
  /** `tcp`, `udp`, `icmp`, a number, or `-1`: all. */
  readonly protocol: string;
  /** First port, or type of ICMP; -1 or absent: any. */
  readonly first?: number;
  /** Last port, or code of ICMP; -1 or absent: any. */
  readonly last?: number;
  /** The other side: networks. */
  readonly cidrs: readonly string[];
  /** The other side: members of these groups, by their private addresses. */
  readonly groups: readonly string[];
}

/** A machine as its network sees it, and what its metadata service tells it. */
export interface Host {
  /** `i-…` */
  readonly id: string;
  readonly mac: string;
  /** `eni-…` */
  readonly nic: string;
  readonly privateAddress: string;
  readonly privateName: string;
  /** Absent: no way in from outside, and none out. */
  readonly publicAddress?: string;
  readonly publicName?: string;
  readonly network: Pick<Network, "id" | "cidr">;
  readonly subnet: Subnet;
  readonly groups: readonly { readonly id: string; readonly name: string }[];
  readonly access: MetadataAccess;
  readonly launch: Launch;
  /** Absent: the instance does not show its tags to its machine. */
  readonly tags?: Readonly<Record<string, string>>;
  readonly key?: { readonly name: string; readonly text: string };
  /** base64 */
  readonly userData?: string;
  readonly profile?: { readonly arn: string; readonly id: string; readonly role: string };
}

/** What the instance's metadata options say. */
export interface MetadataAccess {
  readonly enabled: boolean;
  /** True: no answer without a token. */
  readonly token: boolean;
  /** How many hops an answer lives. */
  readonly hops: number;
}

export interface Launch {
  readonly image: string;
  readonly type: string;
  readonly architecture: string;
  readonly account: string;
  readonly region: string;
  readonly zone: string;
  readonly zoneId?: string;
  readonly reservation: string;
  readonly index: number;
  /** ISO 8601 */
  readonly at: string;
}
