import { appendFileSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { consoleReader } from "../../rehearsal/ground/console.ts";
import { groupOf } from "../../rehearsal/ground/groups.ts";
import { pictureOf } from "../../rehearsal/ground/hosts.ts";
import { pause } from "../../rehearsal/ground/pause.ts";
import type { Seen, SeenInstance } from "../../rehearsal/ground/seen.ts";
import { type Have, nextStep, rebootOf, type Step, type Wanted, wantedOf } from "../../rehearsal/ground/step.ts";

describe("the next step of a machine", () => {
  it.each<[Wanted, Have, Step | undefined]>([
    ["on", "nothing", "boot"],
    ["on", "off", "boot"],
    ["on", "on", undefined],
    ["off", "on", "shutdown"],
    ["off", "off", undefined],
    ["off", "nothing", undefined],
    ["gone", "on", "remove"],
    ["gone", "off", "remove"],
    ["gone", "nothing", undefined],
  ])("that should be %s and is %s: %s", (wanted, have, step) => {
    expect(nextStep({ wanted, have, asked: "", done: "" })).toBe(step);
  });

  it("is a reboot when one was asked for that it has not behind it", () => {
    const on = { wanted: "on", have: "on" } as const;
    expect(nextStep({ ...on, asked: "reboot 2", done: "reboot 1" })).toBe("reboot");
    expect(nextStep({ ...on, asked: "reboot 2", done: "reboot 2" })).toBeUndefined();
    // A stop and a start wipe the trace out.
    expect(nextStep({ ...on, asked: "", done: "reboot 2" })).toBeUndefined();
    expect(nextStep({ wanted: "on", have: "off", asked: "reboot 2", done: "" })).toBe("boot");
  });

  it.each([
    ["pending", "on"],
    ["running", "on"],
    ["stopping", "off"],
    ["stopped", "off"],
    ["shutting-down", "gone"],
    ["terminated", "gone"],
  ] as const)("takes an instance that is %s for one that should be %s", (Name, wanted) => {
    expect(wantedOf({ State: { Name } })).toBe(wanted);
  });

  it("takes an instance that is not listed for gone", () => {
    expect(wantedOf(undefined)).toBe("gone");
  });

  it("knows the trace of a reboot from the reason of another transition", () => {
    expect(rebootOf({ StateTransitionReason: "User initiated reboot 3" })).toBe("User initiated reboot 3");
    expect(rebootOf({ StateTransitionReason: "User initiated (2026-01-01 00:00:00 UTC)" })).toBe("");
    expect(rebootOf({})).toBe("");
  });
});

const instance = (more: Partial<SeenInstance> = {}): SeenInstance => ({
  InstanceId: "i-1",
  account: "123456789012",
  reservation: "r-1",
  ImageId: "ami-1",
  InstanceType: "t3.micro",
  PrivateIpAddress: "10.20.0.5",
  PublicIpAddress: "54.214.0.5",
  SubnetId: "subnet-a",
  NetworkInterfaces: [{ MacAddress: "02:AA:00:00:00:05", NetworkInterfaceId: "eni-1" }],
  SecurityGroups: [{ GroupId: "sg-1", GroupName: "web" }],
  Placement: { AvailabilityZone: "eu-central-1a" },
  LaunchTime: new Date("2026-01-01T00:00:00.123Z"),
  Tags: [{ Key: "tutti:node", Value: "core-0" }],
  ...more,
});
const seen = (instances: SeenInstance[], more: Partial<Seen> = {}): Seen => ({
  instances,
  groups: [],
  networks: [{ id: "vpc-1", cidr: "10.20.0.0/16", subnets: [{ id: "subnet-a", cidr: "10.20.0.0/20" }] }],
  ...more,
});
const hostsOf = (what: Seen, region = "eu-central-1") => pictureOf(what, new Map(), region).hosts;

describe("the picture of what the API says", () => {
  it("has addresses, names, groups and launch of an instance", () => {
    expect(hostsOf(seen([instance()]))).toEqual([
      expect.objectContaining({
        ...{ id: "i-1", mac: "02:aa:00:00:00:05", nic: "eni-1", privateAddress: "10.20.0.5" },
        privateName: "ip-10-20-0-5.eu-central-1.compute.internal",
        publicName: "ec2-54-214-0-5.eu-central-1.compute.amazonaws.com",
        groups: [{ id: "sg-1", name: "web" }],
        network: { id: "vpc-1", cidr: "10.20.0.0/16" },
        launch: expect.objectContaining({ at: "2026-01-01T00:00:00Z", architecture: "x86_64", index: 0 }),
      }),
    ]);
  });

  it("has the old names of the oldest region", () => {
    expect(hostsOf(seen([instance()]), "us-east-1")[0]).toMatchObject({
      ...{ privateName: "ip-10-20-0-5.ec2.internal", publicName: "ec2-54-214-0-5.compute-1.amazonaws.com" },
    });
  });

  it("shows tags to the machine only if the instance does", () => {
    const shown = instance({ MetadataOptions: { InstanceMetadataTags: "enabled" } });
    expect(hostsOf(seen([shown]))[0]?.tags).toEqual({ "tutti:node": "core-0" });
    expect(hostsOf(seen([instance()]))[0]).not.toHaveProperty("tags");
  });

  it("has the metadata options, and those of EC2 where none are said", () => {
    const strict = { HttpTokens: "required", HttpPutResponseHopLimit: 2, HttpEndpoint: "enabled" } as const;
    expect(hostsOf(seen([instance({ MetadataOptions: strict })]))[0]?.access).toEqual({
      enabled: true,
      token: true,
      hops: 2,
    });
    expect(hostsOf(seen([instance()]))[0]?.access).toEqual({ enabled: true, token: false, hops: 1 });
    const off = instance({ MetadataOptions: { HttpEndpoint: "disabled" } });
    expect(hostsOf(seen([off]))[0]?.access.enabled).toBe(false);
  });

  it("has what is known of the instance's birth", () => {
    const birth = { userData: "aGk=", atShutdown: "stop", disk: 8, memory: 1024 } as const;
    const { hosts } = pictureOf(seen([instance()]), new Map([["i-1", birth]]), "eu-central-1");
    expect(hosts[0]).toMatchObject({ userData: "aGk=" });
    expect(hosts[0]).not.toHaveProperty("disk");
  });

  it("leaves out an instance without a subnet that is known", () => {
    expect(hostsOf(seen([instance({ SubnetId: "subnet-z" }), instance({ SubnetId: undefined })]))).toEqual([]);
  });

  it("leaves out a network that has addresses of another one, and the second machine with an address", () => {
    const twin = { id: "vpc-2", cidr: "10.20.128.0/17", subnets: [{ id: "subnet-b", cidr: "10.20.128.0/20" }] };
    const all = seen([
      instance(),
      instance({ InstanceId: "i-2", SubnetId: "subnet-b" }),
      instance({ InstanceId: "i-3" }),
    ]);
    const picture = pictureOf({ ...all, networks: [...all.networks, twin] }, new Map(), "eu-central-1");
    expect(picture.networks.map(({ id }) => id)).toEqual(["vpc-1"]);
    expect(picture.hosts.map(({ id }) => id)).toEqual(["i-1"]);
  });
});

it("a security group is taken as the API describes it, without IPv6", () => {
  const described = {
    GroupId: "sg-1",
    IpPermissions: [
      {
        IpProtocol: "tcp",
        FromPort: 22,
        ToPort: 22,
        IpRanges: [{ CidrIp: "10.0.0.0/8" }],
        Ipv6Ranges: [{ CidrIpv6: "::/0" }],
      },
      { IpProtocol: "tcp", FromPort: 1, ToPort: 9, UserIdGroupPairs: [{ GroupId: "sg-1" }, { GroupId: "sg-2" }] },
    ],
    IpPermissionsEgress: [{ IpProtocol: "-1", IpRanges: [{ CidrIp: "0.0.0.0/0" }] }],
  };
  expect(groupOf(described)).toEqual({
    id: "sg-1",
    inward: [
      { protocol: "tcp", first: 22, last: 22, cidrs: ["10.0.0.0/8"], groups: [] },
      { protocol: "tcp", first: 1, last: 9, cidrs: [], groups: ["sg-1", "sg-2"] },
    ],
    outward: [{ protocol: "-1", cidrs: ["0.0.0.0/0"], groups: [] }],
  });
});

describe("the pause between two looks", () => {
  it("is a beat while something happens and some time after, then grows to five", () => {
    expect([0, 20, 30, 40, 60, 1000].map((quiet) => pause(quiet, 100))).toEqual([100, 100, 200, 300, 500, 500]);
  });
});

describe("a reader of a console", () => {
  const folder = mkdtempSync(join(tmpdir(), "tutti-console-"));
  const path = join(folder, "console.log");
  const mark = /finished at/;
  const reader = consoleReader(path);

  it("sees nothing while there is no console", () => {
    expect(reader.saw(mark)).toBe(false);
  });

  it("sees a mark once, also when it comes in two pieces", () => {
    appendFileSync(path, `${"x".repeat(200_000)}é fini`);
    expect(reader.saw(mark)).toBe(false);
    appendFileSync(path, "shed at noon");
    expect(reader.saw(mark)).toBe(true);
    expect(reader.saw(mark)).toBe(false);
  });

  it("passes over what belongs to the past", () => {
    appendFileSync(path, "finished at night");
    reader.skip();
    expect(reader.saw(mark)).toBe(false);
    rmSync(folder, { recursive: true });
  });
});
