import { Record as DnsRecord } from "@pulumi/aws/route53/record.js";
import type { Input, Resource } from "@pulumi/pulumi";

export interface Names {
  readonly name: string;
  readonly domain: string;
  /** Id of the hosted zone. */
  readonly zone: string;
  /** Addresses of the routers. */
  readonly routers: readonly Input<string>[];
  readonly parent: Resource;
}

/** The domain and all names below it lead to the routers; a router that goes is asked no more after a minute. */
export function declareNames({ name, domain, zone, routers, parent }: Names): void {
  const record = { zoneId: zone, type: "A", ttl: 60, records: [...routers] };
  new DnsRecord(name, { ...record, name: domain }, { parent });
  new DnsRecord(`${name}-wildcard`, { ...record, name: `*.${domain}` }, { parent });
}
