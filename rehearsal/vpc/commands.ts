import { nth, rangeOf } from "./addresses.ts";
import { gateway, inner, machineResolver, metadata, mtu, nic, operator, portOf, service, spaces } from "./layout.ts";
import type { Host, Network } from "./picture.ts";

/** A program to run, with what it reads. */
export interface Command {
  /** Network namespace that it runs in; absent: the operator's. */
  readonly space?: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly input?: string;
}

const ip = (...args: string[]): Command => ({ program: "ip", args });
/** Many lines of `ip` for one namespace, in one process. */
const batch = (space: string, lines: readonly string[]): Command => ({
  ...{ program: "ip", args: ["-n", space, "-batch", "-"], input: `${lines.join("\n")}\n` },
});
/** Replaces tables: text of `firewall`, `translation`, `wires`. */
export const nft = (space: string, text: string): Command => ({
  ...{ space, program: "nft", args: ["-f", "-"], input: text },
});

/** Gateway and router, cabled to each other and to the operator's own network namespace. */
export function build(): Command[] {
  return [
    ip("netns", "add", spaces.gateway),
    ip("netns", "add", spaces.router),
    ip(..."link add inet0 mtu 9001 type veth peer name inet0 mtu 9001 netns".split(" "), spaces.gateway),
    ip("addr", "add", `${operator}/30`, "dev", "inet0"),
    ip("addr", "add", `${service}/32`, "dev", "lo"),
    ip("link", "set", "inet0", "up"),
    batch(spaces.gateway, [
      "link set lo up",
      `addr add ${gateway}/30 dev inet0`,
      "link set inet0 up",
      `link add vpc0 mtu ${mtu} type veth peer name igw0 mtu ${mtu} netns ${spaces.router}`,
      `addr add ${inner.gateway}/30 dev vpc0`,
      "link set vpc0 up",
      `route add default via ${operator}`,
    ]),
    batch(spaces.router, [
      "link set lo up",
      `addr add ${inner.router}/30 dev igw0`,
      "link set igw0 up",
      `route add default via ${inner.gateway}`,
      // A bridge without an address of its own takes that of a port, and another one when that port goes.
      `link add br0 mtu ${mtu} address 0a:00:00:00:00:01 type bridge`,
      `addr add ${metadata}/32 dev br0`,
      `addr add ${machineResolver}/32 dev br0`,
      "link set br0 up",
      "route add 255.255.255.255/32 dev br0",
    ]),
    settings(spaces.gateway, ["ip_forward=1", "conf/all/send_redirects=0", "conf/vpc0/send_redirects=0"]),
    settings(spaces.router, [
      ...["ip_forward=1", "conf/all/send_redirects=0", "conf/br0/send_redirects=0"],
      // Ports of the bridge don't see each other: the router answers for all, so that all traffic passes its rules.
      "conf/br0/proxy_arp_pvlan=1",
    ]),
  ];
}

/** The addresses that are sent to the gateway: the operator's own routes. */
export function routes(pool: string, names: string): Command[] {
  return [ip("route", "add", pool, "via", gateway), ip("route", "add", names, "via", gateway)];
}

function settings(space: string, values: readonly string[]): Command {
  const common = ["conf/all/rp_filter=0", "conf/default/rp_filter=0"];
  const lines = [...common, ...values].map((value) => value.split("="));
  const script = lines.map(([key, value]) => `echo ${value} >/proc/sys/net/ipv4/${key}`).join(" && ");
  const ipv6 = "[ ! -e /proc/sys/net/ipv6 ] || echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6";
  return { space, program: "sh", args: ["-c", `${script} && { ${ipv6}; }`] };
}

/** A private network, with its subnets as far as they are new: the router has the first address of each. */
export function open({ cidr, subnets }: Network): Command[] {
  return [
    batch(spaces.router, [
      `addr replace ${nth(cidr, 2)}/32 dev br0`,
      ...subnets.map((subnet) => `addr replace ${nth(subnet.cidr, 1)}/${rangeOf(subnet.cidr).bits} dev br0`),
    ]),
    batch(spaces.gateway, [`route replace ${cidr} via ${inner.router}`]),
  ];
}

/** A machine's own network namespace, with its only interface, which is down as on a machine that is off. */
export function plug({ id, mac, privateAddress }: Pick<Host, "id" | "mac" | "privateAddress">): Command[] {
  const port = portOf(id);
  return [
    ip("netns", "add", id),
    batch(spaces.router, [
      `link add ${port} mtu ${mtu} type veth peer name ${nic} address ${mac} mtu ${mtu} netns ${id}`,
      `link set ${port} master br0 up`,
      `link set ${port} type bridge_slave isolated on`,
      // Another machine may have had this address.
      `neigh flush to ${privateAddress} dev br0`,
    ]),
  ];
}

/** Its port goes with its namespace; but that one lives as long as a process in it does. */
export function unplug(id: string): Command[] {
  return [batch(spaces.router, [`link del ${portOf(id)}`]), ip("netns", "del", id)];
}

export function demolish(hosts: readonly string[]): Command[] {
  return [
    ...hosts.flatMap(unplug),
    ip("netns", "del", spaces.router),
    ip("netns", "del", spaces.gateway),
    ip("addr", "del", `${service}/32`, "dev", "lo"),
  ];
}
