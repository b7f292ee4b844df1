import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type GroundLab, groundLab } from "../support/ground.ts";
import { until } from "../support/until.ts";
import { noNetworkHere } from "../support/vpc.ts";

const reason = noNetworkHere();
if (reason) console.warn(`the ground is not tested: ${reason}`);

interface Seen {
  id: string;
  state: string;
  finished: boolean;
  publicAddress?: string;
  privateAddress: string;
  netns: string;
  boots: number;
}

describe.skipIf(reason)("the ground of a rehearsal, with machines that boot nothing", () => {
  let lab: GroundLab;
  beforeAll(async () => {
    // The second machine is slow, the third does not boot at first.
    lab = await groundLab({ ways: { 1: { slow: 20_000 }, 2: { broken: 1 } } });
  });
  afterAll(() => lab?.end());
  const machine = async (id: string) => (await lab.call<Seen[]>("machines")).find((one) => one.id === id);
  const kinds = async (id: string) =>
    (await lab.call<{ id: string; kind: string }[]>("events")).filter((one) => one.id === id).map(({ kind }) => kind);
  let one = "";

  it("boots a machine for an instance, with its interface, memory, disk and files", async () => {
    [one = ""] = await lab.launch(1, {
      InstanceType: "t3.small",
      BlockDeviceMappings: [{ DeviceName: "/dev/xvda", Ebs: { VolumeSize: 12 } }],
    });
    await lab.until(one, "running");
    expect(await kinds(one)).toEqual(["seen", "booting", "running"]);
    const { NetworkInterfaces, PublicIpAddress, PrivateIpAddress } = await lab.instance(one);
    expect(await machine(one)).toMatchObject({
      ...{ state: "running", finished: false, netns: `/run/netns/${one}` },
      ...{ publicAddress: PublicIpAddress, privateAddress: PrivateIpAddress },
    });
    const folder = `${await lab.call<string>("folder")}/${one}`;
    expect(await lab.call("plan", one)).toMatchObject({
      ...{ id: one, memory: 2048, disk: 12, folder, mac: NetworkInterfaces?.[0]?.MacAddress },
      files: { "/etc/tutti/boot.env": "TUTTI_S3=http://198.51.100.1\n" },
    });
    const { out } = await lab.sh(one, "ip -br link show ens5");
    expect(out).toContain(NetworkInterfaces?.[0]?.MacAddress);
  });

  it("answers GetConsoleOutput with what the machine printed, and tells when cloud-init is done", async () => {
    await lab.call("prints", one, "Cloud-init v. 22.4.2 fini");
    await lab.call("prints", one, "shed at Mon, 01 Jan 2026 00:00:00 +0000. Datasource DataSourceEc2Local.\n");
    await lab.until(one, "finished");
    expect((await machine(one))?.finished).toBe(true);
    const { Output = "" } = await lab.ec2<{ Output?: string }>("GetConsoleOutput", { InstanceId: one });
    expect(Buffer.from(Output, "base64").toString()).toMatch(/^boot 1\nCloud-init/);
  });

  it("shuts it down when the instance is stopped, keeps its disk, and boots it with the addresses it has then", async () => {
    const before = await lab.instance(one);
    await lab.ec2("StopInstances", { InstanceIds: [one] });
    await lab.until(one, "stopped");
    expect(await lab.call("there", `/run/netns/${one}`)).toBe(false);
    expect(await lab.call("there", `${await lab.call<string>("folder")}/${one}/disk`)).toBe(true);
    const move = { Action: "ModifyInstanceAttribute", InstanceId: one, Attribute: "privateIpAddress" };
    expect(await lab.call("form", { ...move, Value: "10.20.0.77" })).toBe(200);
    await lab.ec2("StartInstances", { InstanceIds: [one] });
    await lab.until(one, "running", 2);
    const after = await lab.instance(one);
    expect(after.PrivateIpAddress).toBe("10.20.0.77");
    expect(after.PublicIpAddress).not.toBe(before.PublicIpAddress);
    const { PublicIpAddress: publicAddress } = after;
    expect(await machine(one)).toMatchObject({ privateAddress: "10.20.0.77", publicAddress, finished: false });
  });

  it("keeps an elastic address over a stop and a start", async () => {
    const { AllocationId, PublicIp } = await lab.ec2<{ AllocationId: string; PublicIp: string }>("AllocateAddress", {});
    await lab.ec2("AssociateAddress", { AllocationId, InstanceId: one });
    await until(async () => (await machine(one))?.publicAddress === PublicIp, { what: "the address was seen" });
    await lab.ec2("StopInstances", { InstanceIds: [one] });
    await lab.until(one, "stopped", 2);
    await lab.ec2("StartInstances", { InstanceIds: [one] });
    await lab.until(one, "running", 3);
    expect((await machine(one))?.publicAddress).toBe(PublicIp);
    expect(PublicIp).toMatch(/^54\.214\./);
  });

  it("reboots it once for each time it is asked to", async () => {
    const boots = (await machine(one))?.boots ?? 0;
    for (const nth of [1, 2]) {
      await lab.ec2("RebootInstances", { InstanceIds: [one] });
      await lab.until(one, "rebooting", nth);
      await lab.until(one, "running", 3 + nth);
    }
    expect((await machine(one))?.boots).toBe(boots + 2);
  });

  it("tells of a reboot from inside", async () => {
    await lab.call("happens", one, "reboot");
    await lab.until(one, "rebooting", 3);
    await lab.until(one, "running", 6);
  });

  it("boots a machine again whose power was cut", async () => {
    await lab.call("happens", one, "crashed");
    await lab.until(one, "crashed");
    await lab.until(one, "running", 7);
    expect((await lab.instance(one)).State?.Name).toBe("running");
  });

  it("tells the API that a machine has switched itself off", async () => {
    await lab.call("happens", one, "off");
    await until(async () => (await lab.instance(one)).State?.Name === "stopped", { what: "the API knows it" });
    expect((await kinds(one)).at(-1)).toBe("off by itself");
    await lab.ec2("StartInstances", { InstanceIds: [one] });
    await lab.until(one, "running", 8);
  });

  it("leaves nothing of a machine that is terminated, although it has not booted yet", async () => {
    const [slow = ""] = await lab.launch(1);
    await lab.until(slow, "booting");
    const began = performance.now();
    await lab.ec2("TerminateInstances", { InstanceIds: [slow] });
    await lab.until(slow, "gone");
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await kinds(slow)).toEqual(["seen", "booting", "gone"]);
    expect(await lab.call("there", `/run/netns/${slow}`)).toBe(false);
    expect(await lab.call("there", `${await lab.call<string>("folder")}/${slow}`)).toBe(false);
  });

  it("tries again when a boot fails, and says that it failed", async () => {
    const [broken = ""] = await lab.launch(1, { InstanceInitiatedShutdownBehavior: "terminate" });
    await lab.until(broken, "failed");
    await lab.until(broken, "running");
    await lab.call("happens", broken, "off");
    await lab.until(broken, "gone");
    expect((await lab.instance(broken)).State?.Name).toBe("terminated");
  });

  it("changes nothing while the API does not answer, and says so once", async () => {
    const before = await kinds(one);
    await lab.call("inject", { action: "DescribeInstances", fault: { kind: "throttle" }, times: 3 });
    await lab.ec2("CreateTags", { Resources: [one], Tags: [{ Key: "a", Value: "b" }] });
    const about = async () => (await lab.call<string[]>("log")).filter((line) => line.includes("looking at the API"));
    await until(async () => (await about()).some((line) => line.includes("goes well again")), { what: "it saw again" });
    expect((await about()).filter((line) => line.startsWith("warn"))).toHaveLength(1);
    expect(await kinds(one)).toEqual(before);
    expect((await machine(one))?.state).toBe("running");
  });

  it("asks the API for nothing in peace, but for a look now and then", async () => {
    const inPeace = async () => {
      const before = await lab.call<number>("calls");
      await new Promise((resolve) => setTimeout(resolve, 1000));
      return (await lab.call<number>("calls")) - before <= 2;
    };
    await until(inPeace, { what: "it made at most two calls in a second" });
  });
});
