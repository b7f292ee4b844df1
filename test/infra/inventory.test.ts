import { TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { consoleOf, inventory, regionsOf } from "../../infra/inventory.ts";
import type { Account } from "../../infra/inventoryAccount.ts";
import { adoption } from "../../infra/inventoryAdopt.ts";
import { findMachines } from "../../infra/inventoryEc2.ts";
import { AwsFault } from "../../infra/inventoryFault.ts";
import { stackOf } from "../../infra/inventoryFound.ts";
import { accountOf, launch, type MadeCluster, makeCluster } from "../support/awsClusters.ts";
import { type Ground, ground } from "../support/pulumiEngine.ts";

let there: Ground;
let account: Account;
let trio: MadeCluster;
beforeAll(async () => {
  there = await ground();
  account = await accountOf(there);
  trio = await makeCluster(there, { cluster: "trio", expires: "2027-01-31" });
  await makeCluster(there, { cluster: "other", nodes: [{ id: "solo-0", roles: ["core"] }] });
  // Somebody else's machine, in the very network of a cluster.
  await launch(there.ec2, { subnet: trio.subnet, walls: [], key: "trio-dev", tags: { Name: "theirs" }, spot: false });
});
afterAll(async () => {
  account?.close();
  await there?.stop();
});

describe("what AWS's tags tell of clusters", () => {
  it("is every machine with its node, roles, addresses and way of being paid, and nobody else's", async () => {
    const machines = await findMachines(account, "trio");
    const lead = machines.find(({ node }) => node === "lead-0");
    expect(machines.map(({ node }) => node).sort()).toEqual(["lead-0", "run-0", "work-0"]);
    expect(lead).toMatchObject({
      ...{ kind: "instance", id: trio.instances["lead-0"], region: "eu-central-1", cluster: "trio", stack: "dev" },
      ...{ owner: "me@example.com", expires: "2027-01-31" },
      machine: {
        ...{ group: "lead", roles: ["core", "controller", "health", "router"], state: "running", type: "t3.small" },
        ...{ spot: false, zone: "eu-central-1a", network: trio.vpc, subnet: trio.subnet },
        privateAddress: expect.stringMatching(/^10\.20\./),
        publicAddress: expect.stringMatching(/^\d+\.\d+\.\d+\.\d+$/),
      },
    });
    expect(machines.find(({ node }) => node === "run-0")?.machine?.spot).toBe(true);
  });

  it("is also everything around the machines, in the order in which it can be removed", async () => {
    const { found } = await inventory(account, { cluster: "trio" });
    expect(found.map(({ kind }) => kind)).toEqual([
      ...["instance", "instance", "instance", "address", "volume", "volume", "volume", "firewall", "firewall"],
      ...["subnet", "route-table", "gateway", "network", "key", "profile", "role", "bucket"],
    ]);
    expect(found.every(({ cluster }) => cluster === "trio")).toBe(true);
    expect(found.find(({ kind }) => kind === "bucket")).toMatchObject({ id: "trio-dev", region: "eu-central-1" });
    expect(found.find(({ kind }) => kind === "address")?.heldBy).toBe(trio.instances["lead-0"]);
  });

  it("tells which stacks live, wherever their machines are", async () => {
    const berlin = await inventory(account);
    expect([...berlin.alive].sort()).toEqual(["other/dev", "trio/dev"]);
    const ireland = await inventory(account.at("eu-west-1"));
    // From there only what is of the whole account is seen, and that its machines are elsewhere.
    expect([...new Set(ireland.found.map(({ kind }) => kind))]).toEqual(["profile", "role"]);
    expect([...ireland.alive].sort()).toEqual(["other/dev", "trio/dev"]);
    expect(ireland.unseen).toEqual([]);
  });

  it("can be had of all regions at once", async () => {
    const regions = await regionsOf(account);
    expect(regions).toContain("us-east-1");
    const { found } = await inventory(account, { regions });
    expect(new Set(found.map(stackOf))).toEqual(new Set(["trio/dev", "other/dev"]));
  });

  it("is asked again when AWS throttles or stumbles", async () => {
    there.api.faults.clear();
    there.api.faults.inject({ action: "DescribeInstances", fault: { kind: "throttle" }, times: 3 });
    there.api.faults.inject({
      action: "DescribeVolumes",
      fault: { kind: "error", status: 500, code: "InternalError", message: "again" },
      times: 2,
    });
    expect((await inventory(account, { cluster: "trio" })).found).toHaveLength(17);
    there.api.faults.clear();
  });

  it("leaves a region out that an organization forbids, and says so", async () => {
    const refused = { kind: "error", status: 403, code: "UnauthorizedOperation", message: "no" } as const;
    // The first call is the region's own.
    there.api.faults.clear();
    let calls = 0;
    there.api.faults.onDone(({ action }) => {
      if (action === "DescribeInstances" && ++calls === 1)
        there.api.faults.inject({ action: "DescribeInstances", fault: refused });
    });
    const { unseen } = await inventory(account);
    there.api.faults.clear();
    expect(unseen).toHaveLength(1);
  });

  it("is refused to those without rights with the right that is missing", async () => {
    const refused = {
      kind: "error",
      status: 403,
      code: "UnauthorizedOperation",
      message: "no ec2:DescribeVpcs",
    } as const;
    there.api.faults.inject({ action: "DescribeVpcs", fault: refused });
    const failure = await inventory(account).catch((error: unknown) => error);
    there.api.faults.clear();
    expect(failure).toBeInstanceOf(AwsFault);
    expect(failure).toMatchObject({ code: "not_allowed", message: expect.stringContaining("ec2:DescribeVpcs") });
  });

  it("has a console for each machine", async () => {
    expect(await consoleOf(account, trio.instances["lead-0"] ?? "")).toBe("");
    const failure = await consoleOf(account, "i-00000000000000000").catch((error: unknown) => error);
    expect(failure).toMatchObject({ message: expect.stringMatching(/reading the console .*NotFound/) });
  });
});

describe("what a stack needs that has lost its state", () => {
  it("is its machines by node, and the network they are in", async () => {
    const { found } = await inventory(account, { cluster: "trio" });
    expect(adoption(found)).toEqual({
      adopt: trio.instances,
      network: { vpc: trio.vpc, subnets: { a: trio.subnet }, cores: { "lead-0": expect.stringMatching(/^10\.20\./) } },
      left: [],
    });
  });

  it("leaves out machines that are gone, and the older one of two", async () => {
    const { found } = await inventory(account, { cluster: "other" });
    const [first] = found;
    if (!first) throw new Error("there is no machine");
    const older = { ...first, id: "i-older", created: (first.created ?? 0) - 1000 };
    expect(adoption([...found, older])).toMatchObject({ adopt: { "solo-0": first.id }, left: ["i-older"] });
    await there.ec2.send(new TerminateInstancesCommand({ InstanceIds: [first.id] }));
    expect(adoption((await inventory(account, { cluster: "other" })).found).adopt).toEqual({});
  });
});
