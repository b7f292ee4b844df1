import { DescribeInstancesCommand, ModifyInstanceAttributeCommand } from "@aws-sdk/client-ec2";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { inventory } from "../../infra/inventory.ts";
import type { Account } from "../../infra/inventoryAccount.ts";
import type { Found } from "../../infra/inventoryFound.ts";
import { type SweepOptions, sweep } from "../../infra/sweep.ts";
import { verdicts } from "../../infra/sweepVerdict.ts";
import { accountOf, address, launch, makeCluster } from "../support/awsClusters.ts";
import { type Ground, ground } from "../support/pulumiEngine.ts";

let there: Ground;
let account: Account;
beforeAll(async () => {
  there = await ground();
  account = await accountOf(there);
  await makeCluster(there, { cluster: "stays" });
});
afterAll(async () => {
  account?.close();
  await there?.stop();
});
afterEach(() => there.api.faults.clear());

const small = [{ id: "lead-0", roles: ["core", "controller", "router"] }] as const;
const hasty: SweepOptions = { pause: 20, heldPatience: 500 };
const things = async (cluster: string) => (await inventory(account, { cluster })).found;
const expired = async () =>
  verdicts(await inventory(account), { expired: true, orphans: false }, Date.now()) as readonly Found[];
const names = (found: readonly Found[]) => found.map(({ kind, id }) => `${kind} ${id}`);

describe("a sweep", { timeout: 60_000 }, () => {
  it("leaves nothing of an expired cluster and everything of another", async () => {
    const before = names(await things("stays"));
    await makeCluster(there, { cluster: "goes", expires: "2020-01-01" });
    const swept = await sweep(account, await expired(), hasty);
    expect(swept.filter(({ kept }) => kept)).toEqual([]);
    expect(swept).toHaveLength(17);
    expect(names(await things("goes"))).toEqual([]);
    expect(names(await things("stays"))).toEqual(before);
  });

  it("tells each thing as it goes, machines first and the network late", async () => {
    await makeCluster(there, { cluster: "told", expires: "2020-01-01", nodes: small });
    const told: string[] = [];
    await sweep(account, await expired(), { ...hasty, told: ({ found }) => told.push(found.kind) });
    const order =
      "instance address volume firewall firewall subnet route-table gateway network key profile role bucket";
    expect(told).toEqual(order.split(" "));
  });

  it("does not mind what is gone already", async () => {
    await makeCluster(there, { cluster: "twice", expires: "2020-01-01", nodes: small });
    const doomed = await expired();
    await sweep(account, doomed, hasty);
    const again = await sweep(account, doomed, hasty);
    expect(again.filter(({ kept }) => kept)).toEqual([]);
  });

  it("goes on after AWS throttles, stumbles, or says that things still hang together", async () => {
    await makeCluster(there, { cluster: "stumbles", expires: "2020-01-01", nodes: small });
    const doomed = await expired();
    const { faults } = there.api;
    const held = { kind: "error", status: 400, code: "DependencyViolation", message: "has dependents" } as const;
    for (const action of ["TerminateInstances", "DeleteVpc", "DeleteRole"])
      faults.inject({ action, fault: { kind: "throttle" }, times: 2 });
    for (const action of ["DeleteSecurityGroup", "DeleteSubnet"]) faults.inject({ action, fault: held, times: 2 });
    faults.inject({ action: "ReleaseAddress", fault: { kind: "done and lost" } });
    const swept = await sweep(account, doomed, { ...hasty, heldPatience: 30_000 });
    expect(swept.filter(({ kept }) => kept)).toEqual([]);
    expect(names(await things("stumbles"))).toEqual([]);
  });

  it("keeps what others use, says so, and removes the rest", async () => {
    const { subnet, walls } = await makeCluster(there, { cluster: "shared", expires: "2020-01-01", nodes: small });
    const foreign = { subnet, walls: walls.slice(0, 1), key: "shared-dev", tags: { Name: "theirs" }, spot: false };
    const theirs = await launch(there.ec2, foreign);
    const theirAddress = await address(there.ec2, theirs, { Name: "theirs" });
    // EC2 says so by itself; the rehearsal's API does not know all that hangs together.
    const held = { kind: "error", status: 400, code: "DependencyViolation", message: "has dependents" } as const;
    for (const action of ["DeleteSubnet", "DeleteVpc"]) there.api.faults.inject({ action, fault: held, times: 1000 });
    const swept = await sweep(account, await expired(), hasty);
    const kept = swept.filter((one) => one.kept);
    expect(kept.map(({ found }) => found.kind)).toEqual(expect.arrayContaining(["subnet", "network"]));
    expect(kept[0]?.kept).toBe("something that is not of the cluster uses it, or still holds it");
    expect(swept.find(({ found }) => found.kind === "bucket")?.kept).toBeUndefined();
    const { Reservations = [] } = await there.ec2.send(new DescribeInstancesCommand({ InstanceIds: [theirs] }));
    expect(Reservations[0]?.Instances?.[0]?.State?.Name).toBe("running");
    expect(theirAddress).toBeTruthy();
    there.api.faults.clear();
    await sweep(account, await expired(), hasty);
  });

  it("says why a machine stays that is protected, and takes the others", async () => {
    const { instances } = await makeCluster(there, { cluster: "shy", expires: "2020-01-01" });
    const InstanceId = instances["work-0"];
    const protect = (Value: boolean) =>
      there.ec2.send(new ModifyInstanceAttributeCommand({ InstanceId, DisableApiTermination: { Value } }));
    await protect(true);
    const swept = await sweep(account, await expired(), hasty);
    const machines = swept.filter(({ found }) => found.kind === "instance");
    expect(machines.filter(({ kept }) => kept).map(({ found }) => found.node)).toEqual(["work-0"]);
    expect(machines.find(({ kept }) => kept)?.kept).toContain("OperationNotPermitted");
    await protect(false);
    await sweep(account, await expired(), hasty);
    expect(names(await things("shy"))).toEqual([]);
  });

  it("that is cut off after any call is simply run again", async () => {
    for (const nth of [1, 2, 5, 9, 13]) {
      await makeCluster(there, { cluster: "cut", expires: "2020-01-01", nodes: small });
      const doomed = await expired();
      const cut = new AbortController();
      there.api.faults.clear();
      there.api.faults.onDone((call) => void (call.nth === nth && cut.abort()));
      await sweep(account, doomed, { ...hasty, signal: cut.signal }).catch(() => undefined);
      there.api.faults.clear();
      const swept = await sweep(account, await expired(), hasty);
      expect(swept.filter(({ kept }) => kept)).toEqual([]);
      expect(names(await things("cut"))).toEqual([]);
    }
  });
});
