import { nth } from "./addresses.ts";
import { inner, machineResolver, metadata } from "./layout.ts";
import { block, elements, table } from "./nft.ts";
import { permitted } from "./permitted.ts";
import type { Host, Picture, SecurityGroup } from "./picture.ts";

/**
 * The router's rules, as text for `nft -f`: security groups, who may ask the metadata service and from how far. A set
 * for each group holds its members, so a rule that names a group stays as it is when members come and go.
 */
export function firewall(picture: Picture): string {
  const groups = [...picture.groups].sort((one, other) => one.id.localeCompare(other.id));
  const resolvers = picture.networks.map(({ cidr }) => nth(cidr, 2));
  return table("ip", "vpc", [
    ...groups.map((group) => members(group, picture.hosts)),
    block("set networks", [
      "type ipv4_addr . ipv4_addr",
      "flags interval",
      ...elements(picture.networks.map(({ cidr }) => `${cidr} . ${cidr}`)),
    ]),
    block("chain names", [
      "type nat hook prerouting priority -100; policy accept",
      // A network's resolver is at its base plus two; one process answers for all networks.
      ...(resolvers.length > 0 ? [`ip daddr { ${resolvers.join(", ")} } dnat to ${machineResolver}`] : []),
    ]),
    input,
    output(picture.hosts),
    forward,
    block("chain outward", [...groups.flatMap((group) => permitted(group, "outward", groups)), "drop"]),
    block("chain inward", [...groups.flatMap((group) => permitted(group, "inward", groups)), "drop"]),
  ]);
}

function members({ id }: SecurityGroup, hosts: readonly Host[]): string {
  const inside = hosts.filter(({ groups }) => groups.some((group) => group.id === id));
  const addresses = new Set(inside.map(({ privateAddress }) => privateAddress));
  return block(`set ${id}`, ["type ipv4_addr", ...elements([...addresses].sort())]);
}

/** What the router itself answers: addresses, names, metadata; and names to the operator. Security groups have no say. */
const input = block("chain services", [
  "type filter hook input priority 0; policy drop",
  'iifname "lo" accept',
  'iifname "br0" udp dport { 53, 67 } accept',
  `iifname "br0" ip daddr ${metadata} tcp dport 80 accept`,
  'iifname "br0" icmp type echo-request accept',
  `iifname "igw0" ip daddr ${inner.router} udp dport 53 accept`,
  "ct state established,related accept",
]);

/** Answers of the metadata service live as many hops as the instance says: one does not outlive a container's bridge. */
function output(hosts: readonly Host[]): string {
  const limits = [...new Set(hosts.map(({ access }) => access.hops))].sort((one, other) => one - other);
  const rules = limits.map((hops) => {
    const near = hosts.filter(({ access }) => access.hops === hops).map(({ privateAddress }) => privateAddress);
    return `ip saddr ${metadata} ip daddr { ${[...new Set(near)].sort().join(", ")} } ip ttl set ${hops}`;
  });
  return block("chain answers", [
    "type filter hook output priority 0; policy accept",
    ...rules,
    // Of a machine that is off the cloud says nothing: who calls it waits in vain.
    "icmp type destination-unreachable icmp code host-unreachable drop",
  ]);
}

const forward = block("chain between", [
  "type filter hook forward priority 0; policy drop",
  // Security groups have a memory: the answer to what was let through is let through.
  "ct state established,related accept",
  "ct state invalid drop",
  'iifname "br0" oifname "br0" ip saddr . ip daddr != @networks drop',
  'iifname "br0" jump outward',
  'oifname "br0" jump inward',
  'iifname { "br0", "igw0" } oifname { "br0", "igw0" } accept',
]);
