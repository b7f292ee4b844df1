import { describe, expect, it } from "vitest";
import { maskOf, nth, overlap, rangeOf } from "../../rehearsal/vpc/addresses.ts";
import { build, open, plug, unplug } from "../../rehearsal/vpc/commands.ts";
import { portOf } from "../../rehearsal/vpc/layout.ts";
import { leadingOut } from "../../rehearsal/vpc/outside.ts";
import { host, network } from "../support/vpc.ts";

describe("addresses of a network", () => {
  it("count from its base, also when it is named by another of its addresses", () => {
    expect(nth("10.20.16.0/20", 1)).toBe("10.20.16.1");
    expect(nth("10.20.17.9/20", 2)).toBe("10.20.16.2");
    expect(nth("10.20.0.0/20", 256)).toBe("10.20.1.0");
    expect(nth("223.255.255.0/24", 255)).toBe("223.255.255.255");
  });

  it.each([
    ["10.0.0.0/8", "255.0.0.0"],
    ["10.20.0.0/20", "255.255.240.0"],
    ["10.20.0.5/32", "255.255.255.255"],
    ["0.0.0.0/0", "0.0.0.0"],
  ])("of %s have the mask %s", (cidr, mask) => {
    expect(maskOf(cidr)).toBe(mask);
  });

  it("are one when nothing is said of their number", () => {
    expect(rangeOf("10.20.0.5").size).toBe(1);
  });

  it.each([
    ["10.20.0.0/16", "10.20.240.0/20", true],
    ["10.20.0.0/20", "10.20.16.0/20", false],
    ["10.20.0.0/16", "10.21.0.0/16", false],
    ["0.0.0.0/0", "10.0.0.0/8", true],
  ])("of %s and %s are common: %s", (one, other, common) => {
    expect(overlap(one, other)).toBe(common);
    expect(overlap(other, one)).toBe(common);
  });
});

describe("the commands that make the network", () => {
  const input = (commands: ReturnType<typeof build>) => commands.map((command) => command.input ?? "").join("");

  it("name a machine's port by its id, within the 15 characters that interfaces have", () => {
    expect(portOf("i-0123456789abcdef0")).toBe("v-456789abcdef0");
    expect(portOf("i-0123456789abcdef0").length).toBeLessThanOrEqual(15);
  });

  it("keep the ports of machines apart, so that neighbours are routed", () => {
    expect(input(plug(host(5, [])))).toContain("type bridge_slave isolated on");
    expect(input(plug(host(5, [])))).toContain(
      "name ens5 address 02:00:00:00:00:05 mtu 9001 netns i-00000000000000005",
    );
    const scripts = build().flatMap(({ args }) => args);
    expect(scripts.join(" ")).toContain("echo 1 >/proc/sys/net/ipv4/conf/br0/proxy_arp_pvlan");
  });

  it("give the router the first address of each subnet, and the network's resolver", () => {
    const text = input(open(network));
    expect(text).toContain("addr replace 10.20.0.1/20 dev br0");
    expect(text).toContain("addr replace 10.20.16.1/20 dev br0");
    expect(text).toContain("addr replace 10.20.0.2/32 dev br0");
    expect(text).toContain("route replace 10.20.0.0/16 via 100.64.1.2");
  });

  it("take a machine's port away before its namespace, in which a process may linger", () => {
    expect(unplug("i-1").map(({ args }) => args.join(" "))).toEqual(["-n vpc -batch -", "netns del i-1"]);
  });
});

describe("a network namespace", () => {
  it("is a closed room's when it has nothing but what the kernel puts there", () => {
    expect(leadingOut(["lo", "sit0", "tunl0"])).toEqual([]);
  });

  it("is a computer's own when a cable leads out of it", () => {
    expect(leadingOut(["lo", "eth0", "docker0"])).toEqual(["eth0", "docker0"]);
  });
});
