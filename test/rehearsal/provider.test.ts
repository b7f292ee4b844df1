import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  AuthorizeSecurityGroupIngressCommand,
  CreateTagsCommand,
  DescribeSecurityGroupsCommand,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { GetObjectCommand } from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { census, leftovers, machine, machines, tagOf } from "../support/ec2Eyes.ts";
import { type Ground, ground, type Stack, stack } from "../support/pulumiEngine.ts";

const program = fileURLToPath(new URL("program", import.meta.url));
const one = {
  machines: 1,
  volumes: 1,
  vpcs: 1,
  subnets: 1,
  groups: 1,
  gateways: 1,
  addresses: 1,
  keys: 1,
  roles: 1,
  profiles: 1,
  buckets: 1,
};
const canary = "canary-3f1c9b";

let there: Ground;
let mine: Stack;
beforeAll(async () => {
  there = await ground();
  mine = await stack({ ground: there, program });
  await mine.set("canary", canary, "secret");
});
afterAll(async () => {
  await mine?.gone();
  await there?.stop();
});

const up = () => mine.good("up", "--yes", "--skip-preview");

// One stack and one life: each test goes on where the one before it ended.
describe("a stack of everything a cluster is made of, on the real engine", { timeout: 120_000 }, () => {
  it("foresees all of it and makes nothing in a preview", async () => {
    expect(await mine.good("preview")).toMatch(/\+ \d+ to create/);
    expect(await leftovers(there)).toEqual([]);
  });

  it("makes it, and tells addresses and names", async () => {
    await up();
    expect(await census(there)).toEqual(one);
    const made = await machine(there);
    const { instance, privateIp, publicIp, account, zones } = await mine.outputs();
    expect({ instance, privateIp, account }).toEqual({
      instance: made.InstanceId,
      privateIp: made.PrivateIpAddress,
      account: "123456789012",
    });
    expect(publicIp).toMatch(/^\d+\.\d+\.\d+\.\d+$/);
    expect(zones).toContain("eu-central-1a");
    expect(made.MetadataOptions).toMatchObject({ HttpTokens: "required", HttpPutResponseHopLimit: 1 });
  });

  it("puts the object's bytes where the program says", async () => {
    const { depot } = await mine.outputs();
    const found = await there.s3.send(new GetObjectCommand({ Bucket: String(depot), Key: "agent/agent.tar.gz" }));
    expect(await found.Body?.transformToString()).toBe("the agent");
  });

  it("keeps what the program calls secret out of the state", async () => {
    const state = await mine.state();
    expect(state).not.toContain(canary);
    expect(state).not.toContain(Buffer.from(canary).toString("base64"));
  });

  it("has nothing to do the second time", async () => {
    expect(await mine.good("up", "--yes")).toMatch(/Resources:\s+\d+ unchanged/);
  });

  it("sees nothing in a refresh when nobody has touched anything", async () => {
    expect(await mine.good("refresh", "--yes", "--skip-preview")).toMatch(/Resources:\s+\d+ unchanged/);
  });

  it("changes tags in place, without stopping the machine", async () => {
    const before = await machine(there);
    await mine.set("roles", "dea,stager");
    there.api.faults.clear();
    await up();
    const after = await machine(there);
    expect(after.InstanceId).toBe(before.InstanceId);
    expect(tagOf(after, "tutti:roles")).toBe("dea,stager");
    expect([...there.api.faults.counts.keys()]).not.toContain("StopInstances");
  });

  it("changes the machine's type in place, with a stop", async () => {
    const before = await machine(there);
    await mine.set("type", "t3.medium");
    expect(await mine.good("preview")).toMatch(/Instance node update/);
    there.api.faults.clear();
    await up();
    const after = await machine(there);
    expect(after).toMatchObject({
      InstanceId: before.InstanceId,
      InstanceType: "t3.medium",
      State: { Name: "running" },
    });
    expect(there.api.faults.counts.get("StopInstances")).toBe(1);
  });

  it("changes a rule in place", async () => {
    await mine.set("from", "203.0.113.0/24");
    expect(await up()).toMatch(/~ 1 updated/);
    expect(await openTo(80)).toEqual(["203.0.113.0/24"]);
  });

  it("makes another machine for another image, and hands the address on", async () => {
    const before = await machine(there);
    const images = JSON.parse(readFileSync("rehearsal/images.json", "utf8")) as { ami_id: string }[];
    await mine.set("ami", images[0]?.ami_id ?? "");
    expect(await mine.good("preview", "--diff")).toMatch(/\+-?aws:ec2\/instance:Instance: \(replace\)[\s\S]*~ ami/);
    await up();
    const after = await machine(there);
    expect(after.InstanceId).not.toBe(before.InstanceId);
    expect(after.ImageId).toBe(images[0]?.ami_id);
    expect(after.PublicIpAddress).toBe((await mine.outputs())["publicIp"]);
  });

  it("makes another machine for another private address, and the next one stands at that address too", async () => {
    const before = await machine(there);
    await mine.set("address", "10.30.1.10");
    expect(await mine.good("preview", "--diff")).toMatch(/aws:ec2\/instance:Instance: \(replace\)[\s\S]*privateIp/);
    await up();
    const first = await machine(there);
    expect([first.PrivateIpAddress, first.InstanceId === before.InstanceId]).toEqual(["10.30.1.10", false]);
    await mine.good("up", "--yes", "--skip-preview", "--replace", await urn());
    const second = await machine(there);
    expect([second.PrivateIpAddress, second.InstanceId === first.InstanceId]).toEqual(["10.30.1.10", false]);
    expect(second.PublicIpAddress).toBe((await mine.outputs())["publicIp"]);
  });

  it("gives a machine that names no address none of those that are kept", async () => {
    const { SubnetId, ImageId } = await machine(there);
    const run = { ImageId, SubnetId, InstanceType: "t3.micro" as const, MinCount: 8, MaxCount: 8 };
    const { Instances = [] } = await there.ec2.send(new RunInstancesCommand(run));
    const last = Instances.map(({ PrivateIpAddress = "" }) => Number(PrivateIpAddress.split(".")[3]));
    expect(last.filter((number) => number >= 8 && number <= 15)).toEqual([]);
    const taken = there.ec2.send(
      new RunInstancesCommand({ ...run, MinCount: 1, MaxCount: 1, PrivateIpAddress: "10.30.1.10" }),
    );
    await expect(taken).rejects.toMatchObject({ name: "InvalidIPAddress.InUse" });
    const InstanceIds = Instances.flatMap(({ InstanceId = "" }) => InstanceId);
    await there.ec2.send(new TerminateInstancesCommand({ InstanceIds }));
  });

  it("shows in a refresh what was changed by hand, and mends it", async () => {
    const { InstanceId = "" } = await machine(there);
    const Tags = [{ Key: "tutti:roles", Value: "nothing" }];
    await there.ec2.send(new CreateTagsCommand({ Resources: [InstanceId], Tags }));
    expect(await mine.good("refresh", "--yes", "--skip-preview")).toMatch(/Instance node updated .*\[diff: ~tags\]/);
    await up();
    const after = await machine(there);
    expect([after.InstanceId, tagOf(after, "tutti:roles")]).toEqual([InstanceId, "dea,stager"]);
  });

  it("leaves a rule alone that somebody else has made", async () => {
    const GroupId = await wall();
    const range = { IpProtocol: "tcp", FromPort: 22, ToPort: 22, IpRanges: [{ CidrIp: "198.51.100.7/32" }] };
    await there.ec2.send(new AuthorizeSecurityGroupIngressCommand({ GroupId, IpPermissions: [range] }));
    await up();
    expect(await openTo(22)).toEqual(["198.51.100.7/32"]);
  });

  it("finds in a refresh that a machine is gone, and makes another", async () => {
    const { InstanceId = "" } = await machine(there);
    await there.ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] }));
    expect(await mine.good("refresh", "--yes", "--skip-preview")).toMatch(/Instance node deleted/);
    await up();
    expect((await machine(there)).InstanceId).not.toBe(InstanceId);
  });

  it("replaces a machine that is told to be replaced", async () => {
    const { InstanceId } = await machine(there);
    await mine.good("up", "--yes", "--skip-preview", "--replace", await urn());
    expect((await machine(there)).InstanceId).not.toBe(InstanceId);
  });

  it("finds its machine again when the state has forgotten it", async () => {
    const { InstanceId = "" } = await machine(there);
    await mine.good("state", "delete", "--yes", "--target-dependents", await urn());
    await up();
    expect((await machines(there)).map((found) => found.InstanceId)).toEqual([InstanceId]);
  });

  it("takes in a machine that the program names", async () => {
    const { InstanceId = "" } = await machine(there);
    await mine.good("state", "delete", "--yes", "--target-dependents", await urn());
    await mine.set("adopt", InstanceId);
    expect(await up()).toMatch(/Instance node imported/);
    await mine.good("config", "rm", "adopt");
    expect((await machines(there)).map((found) => found.InstanceId)).toEqual([InstanceId]);
  });

  it("leaves nothing when it is destroyed", async () => {
    await mine.good("destroy", "--yes", "--skip-preview");
    expect(await leftovers(there)).toEqual([]);
  });
});

async function urn(): Promise<string> {
  return /urn:pulumi:[^"]*aws:ec2\/instance:Instance::node/.exec(await mine.state())?.[0] ?? "";
}

async function wall(): Promise<string> {
  const { SecurityGroups = [] } = await there.ec2.send(new DescribeSecurityGroupsCommand({}));
  return SecurityGroups.find(({ GroupName }) => GroupName?.startsWith("wall"))?.GroupId ?? "";
}

async function openTo(port: number): Promise<string[]> {
  const { SecurityGroups = [] } = await there.ec2.send(new DescribeSecurityGroupsCommand({ GroupIds: [await wall()] }));
  const open = SecurityGroups[0]?.IpPermissions?.filter(({ FromPort }) => FromPort === port) ?? [];
  return open.flatMap(({ IpRanges = [] }) => IpRanges.map(({ CidrIp = "" }) => CidrIp));
}
