import { describe, expect, it } from "vitest";
import { imageSearch } from "../../infra/images.ts";
import { openings } from "../../infra/ports.ts";
import { rights } from "../../infra/rights.ts";
import { nodeTags } from "../../infra/tags.ts";
import { waves } from "../../infra/waves.ts";
import { plan } from "../../roles/plan.ts";
import { type RoleName, roles } from "../../roles/role.ts";
import { addressIn, coreBlocks, crowded, subnets } from "../../roles/subnets.ts";
import { profile } from "../support/infra.ts";

const names = Object.keys(roles) as RoleName[];

describe("the firewall of a group", () => {
  const spec = profile("five");

  it.each(names)("opens for %s the ports of that role, and none else", (role) => {
    const open = openings(spec, [role]).map(({ name }) => name);
    expect(open).toEqual(roles[role].ports.map(({ name }) => name).sort());
  });

  it("opens no port for other cores at a core that is alone", () => {
    expect(openings(profile("trio"), ["core"]).map(({ name }) => name)).toEqual(["nats", "status"]);
  });

  it("lets everyone in at the router only", () => {
    const all = openings(spec, names).filter(({ from }) => from !== "cluster");
    expect(all).toEqual([{ name: "router", first: 80, last: 80, from: "0.0.0.0/0", why: "router: router" }]);
  });
});

describe("the subnets of a network", () => {
  it("are a sixteenth each, by the letter of the zone: one that comes later moves no other", () => {
    const two = subnets("10.20.0.0/16", ["a", "c"]);
    expect(two.map(({ cidr }) => cidr)).toEqual(["10.20.0.0/20", "10.20.32.0/20"]);
    expect(subnets("10.20.0.0/16", ["c", "b", "a"])).toEqual(expect.arrayContaining(two));
  });

  it("begin where the network begins, also when it is written with an address inside it", () => {
    expect(subnets("192.168.7.9/24", ["a", "p"]).map(({ cidr }) => cidr)).toEqual([
      "192.168.7.0/28",
      "192.168.7.240/28",
    ]);
    expect(subnets("203.0.200.0/21", ["b"])[0]?.cidr).toBe("203.0.200.128/25");
  });

  it("have no room for more machines than addresses without EC2's five", () => {
    const small = subnets("10.0.0.0/24", ["a"]);
    expect(crowded(small, Array(11).fill("eu-west-1a"))).toEqual([]);
    expect(crowded(small, Array(12).fill("eu-west-1a"))).toHaveLength(1);
  });
});

describe("the rights of a group", () => {
  const resources = (wanted: RoleName[]) =>
    JSON.parse(rights("arn:aws:s3:::depot", wanted)).Statement.map(({ Resource }: { Resource: string }) => Resource);

  it("are to read the agent; the identity is for cores, droplets are for controllers", () => {
    expect(resources(["dea", "stager", "router", "health"])).toEqual(["arn:aws:s3:::depot/agent/*"]);
    expect(resources(["core"])).toContain("arn:aws:s3:::depot/identity/*");
    expect(resources(["controller"])).toContain("arn:aws:s3:::depot/droplets/*");
  });

  it("never go beyond the cluster's own bucket, nor to all of it", () => {
    const { Statement } = JSON.parse(rights("arn:aws:s3:::depot", names));
    for (const { Action, Resource } of Statement) {
      expect(Resource).toMatch(/^arn:aws:s3:::depot(\/|$)/);
      expect([Action].flat().join()).not.toContain("*");
    }
  });
});

describe("tags", () => {
  it("have keys that a machine may read of itself, and values that EC2 takes", () => {
    const owned = { cluster: "trio", stack: "dev", aws: { owner: "you@example.com", expires: "never" } };
    const tags = nodeTags(owned, { id: "all-0", group: "all", roles: names });
    for (const [key, value] of Object.entries(tags)) {
      expect(key).toMatch(/^[\w:.+=@-]{1,128}$/);
      expect(value).toMatch(/^[\w:.,+=@/ -]{1,256}$/);
    }
  });
});

describe("what is kept for cores in a subnet", () => {
  it.each(["10.20.0.0/16", "10.20.0.0/23", "10.20.0.0/24"])("of %s has the addresses of all five", (network) => {
    for (const subnet of subnets(network, ["a", "p"])) {
      const kept = coreBlocks(subnet).map((block) => block.split("/"));
      const number = (address: string) => address.split(".").reduce((sum, part) => sum * 256 + Number(part), 0);
      const ranges = kept.map(
        ([base = "", bits]) => [number(base), number(base) + 2 ** (32 - Number(bits)) - 1] as const,
      );
      const holds = (address: string) =>
        ranges.some(([first, last]) => number(address) >= first && number(address) <= last);
      expect([10, 11, 12, 13, 14].map((n) => holds(addressIn(subnet, n)))).toEqual(Array(5).fill(true));
      // The first four and the last are EC2's own.
      expect([0, 1, 2, 3, subnet.room + 4].map((n) => holds(addressIn(subnet, n)))).toEqual(Array(5).fill(false));
    }
  });
});

describe("the order of births", () => {
  it("is all at once where the addresses of the cores are known", () => {
    expect(waves(plan(profile("five"))).map((wave) => wave.length)).toEqual([5]);
  });

  it("is the core whose address EC2 chooses, then everyone else", () => {
    const nodes = plan(profile("trio")).map((node) => ({ ...node, address: undefined }));
    expect(waves(nodes).map((wave) => wave.map(({ id }) => id))).toEqual([["lead-0"], ["work-0", "run-0"]]);
  });
});

describe("an image", () => {
  it("is looked up by name for the processor, unless it is an id", () => {
    expect(imageSearch({ image: "debian-12", architecture: "arm64" })?.name).toBe("debian-12-arm64-*");
    expect(imageSearch({ image: "debian-12", architecture: "x64" })?.name).toBe("debian-12-amd64-*");
    expect(imageSearch({ image: "ami-00000000", architecture: "x64" })).toBeUndefined();
  });
});
