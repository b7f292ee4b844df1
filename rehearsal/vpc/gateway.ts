import { operator, publicPool, resolver, service } from "./layout.ts";
import { block, elements, table } from "./nft.ts";
import type { Picture } from "./picture.ts";

/**
 * The internet gateway's rules: each public address stands for one private address, both ways. It is a network
 * namespace of its own in front of the router, as in EC2: between two machines that speak by public addresses, the
 * firewall then sees the public one, which belongs to no security group.
 */
export function translation({ hosts }: Pick<Picture, "hosts">): string {
  const pairs = hosts.flatMap(({ publicAddress, privateAddress }) =>
    publicAddress ? [{ outside: publicAddress, inside: privateAddress }] : [],
  );
  const outside = [...new Map(pairs.map((pair) => [pair.outside, pair])).values()];
  const address = "type ipv4_addr : ipv4_addr";
  return table("ip", "igw", [
    block("set taken", ["type ipv4_addr", ...elements(outside.map((pair) => pair.outside))]),
    block("set served", ["type ipv4_addr", ...elements(outside.map((pair) => pair.inside))]),
    block("map inside", [address, ...elements(outside.map((pair) => `${pair.outside} : ${pair.inside}`))]),
    block("map outside", [address, ...elements(outside.map((pair) => `${pair.inside} : ${pair.outside}`))]),
    ...chains,
  ]);
}

const chains = [
  block("chain known", [
    "type filter hook prerouting priority -300; policy accept",
    // An address that was taken away is dead at once, also for connections that were made by it.
    `ip daddr ${publicPool} ip daddr != @taken drop`,
  ]),
  block("chain inbound", ["type nat hook prerouting priority -100; policy accept", "dnat to ip daddr map @inside"]),
  block("chain outbound", [
    "type nat hook postrouting priority 100; policy accept",
    "snat to ip saddr map @outside",
    // A machine without a public address reaches S3 all the same, as by a gateway endpoint, and nothing else.
    `iifname "vpc0" ip daddr ${service} masquerade`,
  ]),
  block("chain between", [
    "type filter hook forward priority 0; policy drop",
    "ct state established,related accept",
    'iifname "inet0" ct status dnat accept',
    `iifname "inet0" ip saddr ${operator} ip daddr ${resolver} accept`,
    'iifname "vpc0" ip saddr @served accept',
    `iifname "vpc0" ip daddr ${service} accept`,
  ]),
];
