import { describe, expect, it } from "vitest";
import { firewall } from "../../rehearsal/vpc/firewall.ts";
import { translation } from "../../rehearsal/vpc/gateway.ts";
import { permitted } from "../../rehearsal/vpc/permitted.ts";
import type { Permission, Picture } from "../../rehearsal/vpc/picture.ts";
import { wires } from "../../rehearsal/vpc/wires.ts";
import { all, host, network, securityGroup, tcp } from "../support/vpc.ts";

const lines = (permission: Partial<Permission>, direction: "inward" | "outward" = "inward") => {
  const whole = { protocol: "tcp", cidrs: ["10.0.0.0/8"], groups: [], ...permission };
  const group = { id: "sg-a", inward: [], outward: [], [direction]: [whole] };
  return permitted(group, direction, [group, { id: "sg-b" }]);
};

describe("a rule of a security group", () => {
  it("opens one port to a network", () => {
    expect(lines({ first: 22, last: 22 })).toEqual(["ip daddr @sg-a ip saddr 10.0.0.0/8 tcp dport 22 return"]);
  });

  it("opens a range of ports, by the protocol's name or its number", () => {
    const open = "ip daddr @sg-a ip saddr 10.0.0.0/8 udp dport 1000-2000 return";
    expect(lines({ protocol: "udp", first: 1000, last: 2000 })).toEqual([open]);
    expect(lines({ protocol: "17", first: 1000, last: 2000 })).toEqual([open]);
  });

  it("has no condition where the whole world may come", () => {
    expect(lines({ first: 80, last: 80, cidrs: ["0.0.0.0/0"] })).toEqual(["ip daddr @sg-a tcp dport 80 return"]);
  });

  it("opens all ports of a protocol", () => {
    const open = ["ip daddr @sg-a ip saddr 10.0.0.0/8 ip protocol tcp return"];
    expect(lines({ first: 0, last: 65535 })).toEqual(open);
    expect(lines({})).toEqual(open);
    expect(lines({ first: -1, last: -1 })).toEqual(open);
  });

  it("opens all protocols, whatever ports it names", () => {
    expect(lines({ protocol: "-1", first: 0, last: 0 })).toEqual(["ip daddr @sg-a ip saddr 10.0.0.0/8 return"]);
  });

  it("opens ICMP by type and code, by type, or as a whole", () => {
    const icmp = (first: number, last: number) => lines({ protocol: "icmp", first, last });
    expect(icmp(3, 4)).toEqual(["ip daddr @sg-a ip saddr 10.0.0.0/8 icmp type 3 icmp code 4 return"]);
    expect(icmp(8, -1)).toEqual(["ip daddr @sg-a ip saddr 10.0.0.0/8 icmp type 8 return"]);
    expect(icmp(-1, -1)).toEqual(["ip daddr @sg-a ip saddr 10.0.0.0/8 ip protocol icmp return"]);
  });

  it("opens another protocol by its number", () => {
    expect(lines({ protocol: "47" })).toEqual(["ip daddr @sg-a ip saddr 10.0.0.0/8 ip protocol 47 return"]);
  });

  it("opens nothing for IPv6, which is not spoken here", () => {
    expect(lines({ protocol: "icmpv6" })).toEqual([]);
  });

  it("opens to the members of a group, its own or another one", () => {
    expect(lines({ first: 4222, last: 4222, cidrs: [], groups: ["sg-a", "sg-b"] })).toEqual([
      "ip daddr @sg-a ip saddr @sg-a tcp dport 4222 return",
      "ip daddr @sg-a ip saddr @sg-b tcp dport 4222 return",
    ]);
  });

  it("opens nothing to a group that is gone", () => {
    expect(lines({ first: 1, last: 1, cidrs: [], groups: ["sg-gone"] })).toEqual([]);
  });

  it("is turned around for what goes out", () => {
    expect(lines({ first: 443, last: 443 }, "outward")).toEqual([
      "ip saddr @sg-a ip daddr 10.0.0.0/8 tcp dport 443 return",
    ]);
  });

  it("is written once, however often it is there", () => {
    expect(lines({ first: 22, last: 22, cidrs: ["10.0.0.0/8", "10.0.0.0/8"] })).toHaveLength(1);
  });
});

describe("the router's rules", () => {
  const groups = [securityGroup("sg-web", [tcp(80, { cidrs: ["0.0.0.0/0"] })]), securityGroup("sg-empty", [])];
  const one = host(5, ["sg-web"]);
  const picture: Picture = { networks: [network], groups, hosts: [one, host(6, ["sg-web"])] };

  it("keep the members of each group in a set", () => {
    const text = firewall(picture);
    expect(text).toContain("set sg-web {\n    type ipv4_addr\n    elements = { 10.20.0.5, 10.20.0.6 }\n  }");
    expect(text).toContain("set sg-empty {\n    type ipv4_addr\n  }");
  });

  it("are the same text for the same world, in whatever order it is told", () => {
    const turned = { ...picture, groups: groups.toReversed(), hosts: picture.hosts.toReversed() };
    expect(firewall(turned)).toBe(firewall(picture));
  });

  it("are the same but for the sets when a machine joins", () => {
    const without = (text: string) => text.split("\n").filter((line) => !line.includes("10.20.0."));
    const more = { ...picture, hosts: [...picture.hosts, host(7, ["sg-web"])] };
    expect(without(firewall(more))).toEqual(without(firewall(picture)));
  });

  it("limit the life of the metadata service's answers machine by machine", () => {
    const far = host(6, [], { access: { enabled: true, token: true, hops: 2 } });
    const text = firewall({ ...picture, hosts: [one, far, host(7, [])] });
    expect(text).toContain("ip saddr 169.254.169.254 ip daddr { 10.20.0.5, 10.20.0.7 } ip ttl set 1\n");
    expect(text).toContain("ip saddr 169.254.169.254 ip daddr { 10.20.0.6 } ip ttl set 2\n");
  });

  it("answer for the resolver of each network", () => {
    expect(firewall(picture)).toContain("ip daddr { 10.20.0.2 } dnat to 169.254.169.253");
  });

  it("replace the table in one transaction", () => {
    expect(firewall(picture).split("\n").slice(0, 3)).toEqual([
      "table ip vpc",
      "delete table ip vpc",
      "table ip vpc {",
    ]);
  });

  it("can be written of an empty world", () => {
    const text = firewall({ networks: [], groups: [], hosts: [] });
    expect(text).not.toMatch(/elements|\{ \}/);
    expect(text).toContain("policy drop");
  });

  it("ask the sender's groups as well as the receiver's", () => {
    const text = firewall({ ...picture, groups: [{ ...securityGroup("sg-a", [all]), outward: [all] }] });
    expect(text).toContain("chain outward {\n    ip saddr @sg-a return\n    drop\n  }");
    expect(text).toContain("chain inward {\n    ip daddr @sg-a return\n    drop\n  }");
  });
});

describe("the gateway's rules", () => {
  it("make each public address stand for one private address, both ways", () => {
    const text = translation({ hosts: [host(5, []), host(6, [], { publicAddress: undefined })] });
    expect(text).toContain("elements = { 54.214.0.5 : 10.20.0.5 }");
    expect(text).toContain("elements = { 10.20.0.5 : 54.214.0.5 }");
    expect(text).not.toContain("10.20.0.6");
  });

  it("give an address that two machines claim to the last one: so it moves", () => {
    const text = translation({ hosts: [host(5, []), host(6, [], { publicAddress: "54.214.0.5" })] });
    expect(text).toContain("elements = { 54.214.0.5 : 10.20.0.6 }");
    expect(text).toContain("elements = { 10.20.0.6 : 54.214.0.5 }");
  });
});

describe("the bridge's rules", () => {
  it("tie each port to its machine's address", () => {
    expect(wires([host(5, [])], new Set())).toContain('elements = { "v-0000000000005" . 10.20.0.5 }');
  });

  it("name the ports whose cables are cut", () => {
    expect(wires([], new Set([host(5, []).id]))).toContain('type ifname\n    elements = { "v-0000000000005" }');
  });
});
