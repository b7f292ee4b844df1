import { describe, expect, it } from "vitest";
import type { Found } from "../../infra/inventoryFound.ts";
import { leftBehind } from "../../infra/run/leftBehind.ts";
import { readState } from "../../infra/run/state.ts";
import { plan } from "../../roles/plan.ts";
import { profile } from "../support/infra.ts";

const type = "aws:ec2/instance:Instance";
const urnOf = (node: string) =>
  `urn:pulumi:dev::tutti-trio::tutti:infra:Cluster$tutti:infra:Node$${type}::trio-dev-${node}`;
const inputs = (node: string, roles = "dea") => ({
  ami: "ami-1",
  instanceType: "t3.small",
  availabilityZone: "eu-central-1a",
  rootBlockDevice: { volumeSize: 20 },
  tags: { "tutti:node": node, "tutti:roles": roles },
});
const machine = (node: string, id: string, more: object = {}) => ({
  ...{ urn: urnOf(node), type, id, inputs: inputs(node) },
  outputs: { ...inputs(node), privateIp: "10.20.0.4", publicIp: "198.51.100.4" },
  ...more,
});
const exported = (resources: object[], pending: object[] = []) =>
  readState(JSON.stringify({ version: 3, deployment: { resources, pending_operations: pending } }));

describe("a stack's state", () => {
  it("knows the machines as EC2 last told of them, and the outputs", () => {
    const stack = {
      urn: "urn:pulumi:dev::p::pulumi:pulumi:Stack::p-dev",
      type: "pulumi:pulumi:Stack",
      outputs: { api: "a" },
    };
    const { machines, outputs } = exported([stack, machine("run-0", "i-1")]);
    expect(outputs).toEqual({ api: "a" });
    expect(machines).toEqual([
      {
        ...{
          urn: urnOf("run-0"),
          leaving: false,
          id: "run-0",
          roles: ["dea"],
          zone: "eu-central-1a",
          type: "t3.small",
        },
        ...{ spot: false, volume: 20, image: "ami-1", instance: "i-1", privateAddress: "10.20.0.4" },
      },
    ]);
  });

  it("tells the machine that another has followed from the one that is there", () => {
    const { machines } = exported([machine("run-0", "i-2"), machine("run-0", "i-1", { delete: true })]);
    expect(machines.map(({ instance, leaving }) => [instance, leaving])).toEqual([
      ["i-2", false],
      ["i-1", true],
    ]);
  });

  it("does not count a machine that is gone and waits for its successor", () => {
    expect(exported([machine("lead-0", "i-1", { pendingReplacement: true })]).machines).toEqual([]);
  });

  it("tells which machines an engine that was cut off was about to make", () => {
    const begun = { resource: { urn: urnOf("run-0"), type, inputs: inputs("run-0") }, type: "creating" };
    const other = { resource: { urn: urnOf("work-0"), type, inputs: inputs("work-0") }, type: "updating" };
    expect([...exported([], [begun, other]).begun]).toEqual(["run-0"]);
  });

  it("may be empty", () => {
    expect(readState('{"version":3,"deployment":{}}')).toEqual({ outputs: {}, machines: [], begun: new Set() });
  });
});

describe("what an engine that was cut off has left behind", () => {
  const nodes = plan(profile("trio"));
  const found = (node: string, id: string, more: object = {}): Found => ({
    ...{ kind: "instance", id, region: "eu-central-1", cluster: "trio", stack: "dev", node },
    ...{ owner: "me", expires: "never", created: 1 },
    machine: {
      ...{ group: "run", roles: ["dea"], state: "running", type: "t3.small", spot: false, zone: "eu-central-1a" },
      ...{ image: "ami-1", privateAddress: "10.20.0.9", publicAddress: "", network: "vpc-1", subnet: "subnet-1" },
      ...more,
    },
  });
  const begun = { ...exported([machine("run-0", "i-known")]), begun: new Set(["run-0", "lead-0"]) };

  it("is the newest machine of a node that was begun and that the state does not know", () => {
    const there = [found("run-0", "i-known"), found("run-0", "i-1"), { ...found("run-0", "i-2"), created: 2 }];
    expect(leftBehind(begun, there, nodes)).toEqual({ "run-0": "i-2" });
  });

  it("is none that is not as the node should be: the engine would not take it in", () => {
    const strange = [{ type: "t3.large" }, { zone: "eu-central-1b" }, { spot: true }, { state: "shutting-down" }];
    for (const more of strange) expect(leftBehind(begun, [found("run-0", "i-1", more)], nodes)).toEqual({});
  });

  it("is a core only at the address that is its own", () => {
    const core = (privateAddress: string) => leftBehind(begun, [found("lead-0", "i-1", { privateAddress })], nodes);
    expect([core("10.20.0.10"), core("10.20.0.9")]).toEqual([{ "lead-0": "i-1" }, {}]);
  });

  it("is nothing of a node that nobody had begun", () => {
    expect(leftBehind({ ...begun, begun: new Set() }, [found("run-0", "i-1")], nodes)).toEqual({});
  });
});
