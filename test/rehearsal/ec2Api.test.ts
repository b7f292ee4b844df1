import {
  CreateVpcCommand,
  DescribeImagesCommand,
  DescribeInstancesCommand,
  DescribeVpcsCommand,
  EC2Client,
  RunInstancesCommand,
  TerminateInstancesCommand,
} from "@aws-sdk/client-ec2";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { actionOf } from "../../rehearsal/actions.ts";
import { type Ground, ground, region } from "../support/pulumiEngine.ts";

let there: Ground;
let hasty: EC2Client;
beforeAll(async () => {
  there = await ground();
  const credentials = { accessKeyId: "x", secretAccessKey: "y" };
  hasty = new EC2Client({ region, endpoint: there.api.url, credentials, maxAttempts: 1 });
});
afterAll(() => there?.stop());
afterEach(() => there.api.faults.clear());

describe("the EC2 API on this machine", () => {
  it("gives the same machine for the same client token", async () => {
    const image = await newest();
    const launch = { ImageId: image, InstanceType: "t3.micro", MinCount: 1, MaxCount: 1 } as const;
    const run = async (ClientToken: string) =>
      (await hasty.send(new RunInstancesCommand({ ...launch, ClientToken }))).Instances?.[0]?.InstanceId ?? "";
    const [one, again, other] = [await run("a"), await run("a"), await run("b")];
    expect(again).toBe(one);
    expect(other).not.toBe(one);
    await hasty.send(new TerminateInstancesCommand({ InstanceIds: [one, other] }));
  });

  it("has Debian's images for both architectures", async () => {
    const { Images = [] } = await hasty.send(new DescribeImagesCommand({ Owners: ["136693071363"] }));
    expect(new Set(Images.map(({ Architecture }) => Architecture))).toEqual(new Set(["x86_64", "arm64"]));
  });

  it("counts calls by action", async () => {
    await hasty.send(new DescribeVpcsCommand({}));
    await hasty.send(new DescribeVpcsCommand({}));
    expect([...there.api.faults.counts]).toEqual([["DescribeVpcs", 2]]);
  });
});

describe("what is injected", () => {
  const describeAll = () => hasty.send(new DescribeInstancesCommand({}));

  it("meets as many calls as it should, and only of its action", async () => {
    there.api.faults.inject({ action: "DescribeInstances", fault: { kind: "throttle" }, times: 2 });
    await hasty.send(new DescribeVpcsCommand({}));
    await expect(describeAll()).rejects.toMatchObject({ name: "RequestLimitExceeded" });
    await expect(describeAll()).rejects.toMatchObject({ name: "RequestLimitExceeded" });
    await expect(describeAll()).resolves.toBeDefined();
  });

  it("can be any error of any action", async () => {
    const fault = { kind: "error", status: 403, code: "UnauthorizedOperation", message: "No." } as const;
    there.api.faults.inject({ action: "*", fault });
    await expect(describeAll()).rejects.toMatchObject({ name: "UnauthorizedOperation", message: "No." });
  });

  it("can be an answer that gets lost after the deed", async () => {
    there.api.faults.inject({ action: "CreateVpc", fault: { kind: "done and lost" } });
    const count = async () => (await hasty.send(new DescribeVpcsCommand({}))).Vpcs?.length ?? 0;
    const before = await count();
    await expect(hasty.send(new CreateVpcCommand({ CidrBlock: "10.9.0.0/16" }))).rejects.toMatchObject({
      name: "InternalError",
    });
    expect(await count()).toBe(before + 1);
  });

  it("can be slowness", async () => {
    there.api.faults.inject({ action: "DescribeInstances", fault: { kind: "delay", ms: 300 } });
    const began = performance.now();
    await describeAll();
    expect(performance.now() - began).toBeGreaterThanOrEqual(295);
  });

  it("tells of each write, numbered, before its answer goes out", async () => {
    const told: [string, number][] = [];
    there.api.faults.onDone(({ action, nth }) => void told.push([action, nth]));
    await hasty.send(new CreateVpcCommand({ CidrBlock: "10.8.0.0/16" }));
    await describeAll();
    await hasty.send(new CreateVpcCommand({ CidrBlock: "10.7.0.0/16" }));
    expect(told).toEqual([
      ["CreateVpc", 1],
      ["DescribeInstances", 0],
      ["CreateVpc", 2],
    ]);
  });
});

describe("the action of a request to S3", () => {
  it.each([
    ["PUT", "/depot", "CreateBucket"],
    ["PUT", "/depot?policy", "PutBucketPolicy"],
    ["GET", "/depot?versions&prefix=a", "ListObjectVersions"],
    ["PUT", "/depot/agent/a.tar.gz?x-id=PutObject", "PutObject"],
    ["GET", "/depot/agent/a.tar.gz?tagging", "GetObjectTagging"],
    ["POST", "/depot?delete", "DeleteObjects"],
    ["PUT", "/depot?publicAccessBlock", "PutPublicAccessBlock"],
    ["DELETE", "/depot", "DeleteBucket"],
  ])("%s %s is %s", (method, url, action) => {
    expect(actionOf(method, url, undefined, Buffer.alloc(0))).toBe(action);
  });
});

async function newest(): Promise<string> {
  const { Images = [] } = await hasty.send(new DescribeImagesCommand({ Owners: ["136693071363"] }));
  return Images[0]?.ImageId ?? "";
}
