import { DescribeImagesCommand, RunInstancesCommand, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Target } from "../../bootstrap/target.ts";
import { type Party, withNodes } from "../../cli/bootstrap/find.ts";
import { hostTarget } from "../../cli/bootstrap/hosts.ts";
import { makeCall } from "../../cli/call.ts";
import { processIo } from "../../cli/io.ts";
import { tagKeys } from "../../infra/tags.ts";
import { machines } from "../support/ec2Eyes.ts";
import { type OfflineCluster, offlineCluster } from "../support/offlineCluster.ts";

describe("a machine as people type it", () => {
  it("has a user, a host and a port, and defaults for what is left out", () => {
    expect(hostTarget("ann@box.example:2222", "bob")).toEqual({
      name: "[box.example]:2222",
      host: "box.example",
      port: 2222,
      user: "ann",
    });
    expect(hostTarget("box", "bob")).toEqual({ name: "box", host: "box", port: 22, user: "bob" });
    expect(hostTarget("ann@[fe80::1]:22", undefined)).toEqual({
      name: "fe80::1",
      host: "fe80::1",
      port: 22,
      user: "ann",
    });
  });

  it.each([[""], ["a b"], ["@box"], ["box:0"], ["box:65536"], ["fe80::1"], ["a@b@c"], ["box:ssh"]])(
    "is none: %j",
    (typed) => {
      expect(() => hostTarget(typed, undefined)).toThrow(/is no machine/);
    },
  );
});

describe("nodes on EC2", { timeout: 120_000 }, () => {
  let cluster: OfflineCluster;
  beforeAll(async () => {
    cluster = await offlineCluster();
    await cluster.write("trio");
  });
  afterEach(async () => {
    const InstanceIds = (await machines(cluster.there)).flatMap(({ InstanceId }) => InstanceId ?? []);
    if (InstanceIds.length > 0) await cluster.there.ec2.send(new TerminateInstancesCommand({ InstanceIds }));
  });
  afterAll(async () => await cluster.gone());

  /** A machine with our tags, however it came to be. */
  async function born(node: string, roles: string, stack = "dev"): Promise<string> {
    const marks = { cluster: "trio", stack, node, group: "lead", roles, owner: "me", expires: "never" } as const;
    const Tags = Object.entries(marks).map(([key, Value]) => ({ Key: tagKeys[key as keyof typeof tagKeys], Value }));
    const { Images = [] } = await cluster.there.ec2.send(new DescribeImagesCommand({}));
    const ImageId = Images[0]?.ImageId;
    const command = new RunInstancesCommand({
      ImageId,
      MinCount: 1,
      MaxCount: 1,
      TagSpecifications: [{ ResourceType: "instance", Tags }],
    });
    const { Instances = [] } = await cluster.there.ec2.send(command);
    return Instances[0]?.InstanceId ?? "";
  }

  async function found(args: readonly string[], options: Record<string, unknown> = {}): Promise<Party> {
    const io = processIo(true, { ...process, env: { ...process.env, TUTTI_HOME: cluster.me.home } } as NodeJS.Process);
    return await withNodes(
      makeCall({ ...io, note: () => {} }, args, { offline: true, ...options }),
      async (party) => party,
    );
  }

  const named = (nodes: readonly Target[]) =>
    nodes.map(({ name, instance, roles, user, port }) => ({ name, instance, roles, user, port }));

  it("are found by their tags, with roles and instance, when the stack knows nothing", async () => {
    const lead = await born("lead-0", "core,controller");
    const dea = await born("dea-0", "dea");
    const wanted = [
      { name: "dea-0", instance: dea, roles: ["dea"], user: "admin", port: 22 },
      { name: "lead-0", instance: lead, roles: ["core", "controller"], user: "admin", port: 22 },
    ];
    expect(named((await found([cluster.spec])).nodes)).toEqual(wanted);
    expect(named((await found([])).nodes)).toEqual(wanted);
    expect((await found([], { stack: "trio/dev", user: "debian" })).nodes[0]?.user).toBe("debian");
  });

  it("have a console that is asked in their own region", async () => {
    await born("lead-0", "core,controller");
    const { nodes, console } = await found([]);
    // What this API prints is the same for every machine, and has no keys.
    expect(typeof (await console?.(nodes[0] as Target))).toBe("string");
  });

  it("of two clusters are not mixed: one has to be chosen", async () => {
    await born("lead-0", "core,controller");
    await born("lead-0", "core,controller", "prod");
    await expect(found([])).rejects.toMatchObject({
      code: "ambiguous",
      message: expect.stringContaining("trio/dev, trio/prod"),
    });
    expect((await found([], { stack: "prod" })).nodes).toHaveLength(1);
  });

  it("that are not there are told, with what to do", async () => {
    await expect(found([cluster.spec])).rejects.toMatchObject({ code: "no_nodes" });
  });

  it("are taken from the stack's outputs when it has some", async () => {
    const { nodes } = await cluster.good("up");
    const party = await found([cluster.spec]);
    expect(party.nodes.map(({ name, host }) => [name, host])).toEqual(
      nodes.map(({ id, publicAddress }) => [id, publicAddress]),
    );
    await cluster.good("destroy");
  });
});
