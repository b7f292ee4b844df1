import { portOf } from "./layout.ts";
import { block, elements, table } from "./nft.ts";
import type { Host } from "./picture.ts";

/**
 * The bridge's rules. A machine sends by its own address only (EC2 checks that too), so the metadata service may know
 * its callers by their addresses. A cut cable keeps its light on and carries nothing: what is at its end notices by
 * silence only, as when a switch far away has failed.
 */
export function wires(hosts: readonly Pick<Host, "id" | "privateAddress">[], cut: ReadonlySet<string>): string {
  const own = hosts.map(({ id, privateAddress }) => `"${portOf(id)}" . ${privateAddress}`);
  return table("bridge", "vpc", [
    block("set own", ["type ifname . ipv4_addr", ...elements([...new Set(own)].sort())]),
    block("set cut", ["type ifname", ...elements([...cut].map((id) => `"${portOf(id)}"`).sort())]),
    block("chain from", [
      "type filter hook prerouting priority -300; policy accept",
      "iifname @cut drop",
      // Who has no address yet asks for one.
      "ip saddr 0.0.0.0 udp dport 67 accept",
      "arp saddr ip 0.0.0.0 accept",
      "ether type ip iifname . ip saddr != @own drop",
      "ether type arp iifname . arp saddr ip != @own drop",
    ]),
    block("chain to", ["type filter hook postrouting priority 300; policy accept", "oifname @cut drop"]),
  ]);
}
