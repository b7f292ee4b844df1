import { CreateTagsCommand, type Instance, TerminateInstancesCommand } from "@aws-sdk/client-ec2";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { census, leftovers, machines, tagOf } from "../support/ec2Eyes.ts";
import { type OfflineCluster, offlineCluster, processesWith, type Result } from "../support/offlineCluster.ts";
import { until } from "../support/until.ts";

// What a person types, on the real engine, against an API of EC2 on this machine. One life for each profile: each test
// goes on where the one before it ended.

const writes = ({ there }: OfflineCluster) =>
  [...there.api.faults.counts].filter(([action]) => !/^(Describe|Get|List|Head|\?)/.test(action));

async function byNode({ there }: OfflineCluster): Promise<Map<string, Instance>> {
  return new Map((await machines(there)).map((one) => [tagOf(one, "tutti:node") ?? "", one]));
}

const ids = (found: ReadonlyMap<string, Instance>) =>
  [...found].map(([node, { InstanceId }]) => [node, InstanceId]).sort();

interface Profile {
  readonly name: string;
  readonly nodes: readonly string[];
  /** Name of the node that gets other roles, and how the text says so. */
  readonly roles: { readonly node: string; readonly to: string; readonly edit: (text: string) => string };
  readonly size: { readonly node: string; readonly to: string; readonly edit: (text: string) => string };
}

const profiles: readonly Profile[] = [
  {
    name: "one",
    nodes: ["all-0"],
    roles: {
      node: "all-0",
      to: "core,controller,health,router,dea",
      edit: (text) => text.replace("router, stager, dea]", "router, dea]"),
    },
    size: { node: "all-0", to: "t3.large", edit: (text) => text.replace("t3.medium", "t3.large") },
  },
  {
    name: "trio",
    nodes: ["lead-0", "run-0", "work-0"],
    roles: { node: "run-0", to: "dea,stager", edit: (text) => text.replace("roles: [dea]", "roles: [dea, stager]") },
    size: {
      node: "work-0",
      to: "t3.large",
      edit: (text) => text.replace("t3.medium\n    zones: [b]", "t3.large\n    zones: [b]"),
    },
  },
  {
    name: "five",
    nodes: ["core-0", "core-1", "core-2", "work-0", "work-1"],
    roles: { node: "work-1", to: "dea", edit: (text) => text.replace("[dea, stager]", "[dea]") },
    size: { node: "work-0", to: "m6i.xlarge", edit: (text) => text.replace("m6i.large", "m6i.xlarge") },
  },
];

describe.each(profiles)("the profile $name", { timeout: 120_000 }, ({ name, nodes, roles, size }) => {
  let our: OfflineCluster;
  let first: Result;
  beforeAll(async () => {
    our = await offlineCluster();
    await our.write(name);
  });
  afterAll(() => our?.gone());

  it("is foreseen whole in a preview, with exit code 2, and nothing is made", async () => {
    const { code, out } = await our.tutti("preview");
    expect(out).toMatch(new RegExp(`\\+ create +machine${nodes.length > 1 ? ` × ${nodes.length}` : ""} `));
    expect(code).toBe(2);
    expect(await leftovers(our.there)).toEqual([]);
  });

  it("stands after an up, with its nodes, their addresses and the next step", async () => {
    first = await our.good("up");
    const there = await byNode(our);
    expect([...there.keys()].sort()).toEqual(nodes);
    expect(first.nodes.map(({ id, instance }) => [id, instance]).sort()).toEqual(ids(there));
    expect(first.outputs).toMatchObject({
      api: `http://api.${name}.example.com`,
      next: expect.stringContaining("tutti target"),
    });
  });

  it("needs nothing in a second up: no call changes anything", async () => {
    our.there.api.faults.clear();
    expect((await our.good("up")).changes).toEqual([]);
    expect(writes(our)).toEqual([]);
  });

  it("shows in a refresh what was changed by hand", async () => {
    const { InstanceId = "" } = (await byNode(our)).get(roles.node) ?? {};
    const Tags = [{ Key: "tutti:roles", Value: "by hand" }];
    await our.there.ec2.send(new CreateTagsCommand({ Resources: [InstanceId], Tags }));
    const { changes } = await our.good("refresh");
    expect(changes).toMatchObject([{ deed: "change", kind: "machine", name: roles.node, properties: ["tags"] }]);
  });

  it("has other roles after an up: in tags, in place, and what was changed by hand is mended", async () => {
    const before = await byNode(our);
    await our.edit(roles.edit);
    our.there.api.faults.clear();
    const { effects } = await our.good("up");
    expect(effects).toContainEqual(expect.objectContaining({ node: roles.node, kind: "change" }));
    const after = await byNode(our);
    expect(ids(after)).toEqual(ids(before));
    expect(tagOf(after.get(roles.node) ?? {}, "tutti:roles")).toBe(roles.to);
    expect(our.there.api.faults.counts.get("StopInstances") ?? 0).toBe(0);
  });

  it("has a machine of another size after an up: stopped and started, not replaced", async () => {
    const before = await byNode(our);
    await our.edit(size.edit);
    const { err } = await our.tutti("up", ["--yes"]);
    expect(err).toMatch(new RegExp(`${size.node} stops and starts again; meanwhile without .*dea`));
    const after = await byNode(our);
    expect(ids(after)).toEqual(ids(before));
    expect(after.get(size.node)).toMatchObject({ InstanceType: size.to, State: { Name: "running" } });
  });

  it("leaves nothing when it is destroyed, and a second destroy has nothing to do", async () => {
    await our.good("destroy");
    expect(await leftovers(our.there)).toEqual([]);
    expect((await our.tutti("destroy", ["--yes"])).out).toContain("nothing to do");
  });
});

describe("an engine that is killed right after EC2 has done what it asked for", { timeout: 240_000 }, () => {
  let our: OfflineCluster;
  beforeAll(async () => {
    our = await offlineCluster();
    await our.write("trio");
  });
  afterAll(() => our?.gone());

  // Each goes on where the one before was killed, so that together they reach the last step.
  it.each([
    ["the network", "CreateVpc", 1],
    ["an opening of the firewall", "AuthorizeSecurityGroupIngress", 2],
    ["the first machine", "RunInstances", 1],
    ["the binding of the router's address", "AssociateAddress", 1],
  ])("after %s: the error says what to do, and nobody lives on", async (_what, action, nth) => {
    const killed = killAfter(our, action, nth);
    const { code, err } = await our.tutti("up", ["--yes"]);
    our.there.api.faults.clear();
    expect(killed()).toBe(1);
    expect(code).toBe(1);
    expect(err).toMatch(/error: .*killed.*\nhint: run the same again/);
    await until(async () => (await processesWith(our.me.home)).length === 0, {
      what: "all that the engine had started is gone",
    });
  });

  it("is followed by an up that ends with the right number of nodes, and of everything else", async () => {
    const { err, code } = await our.tutti("up", ["--yes"]);
    expect(err).toContain("the lock of an engine that is gone");
    expect(code).toBe(0);
    expect([...(await byNode(our)).keys()].sort()).toEqual(["lead-0", "run-0", "work-0"]);
    expect(await census(our.there)).toEqual({
      ...{ machines: 3, volumes: 3, vpcs: 1, subnets: 2, groups: 4, gateways: 1, addresses: 1, keys: 1 },
      ...{ roles: 3, profiles: 3, buckets: 1 },
    });
  });

  it("has a destroy that leaves nothing", async () => {
    const { InstanceId = "" } = (await byNode(our)).get("run-0") ?? {};
    // And one that somebody else was faster with.
    await our.there.ec2.send(new TerminateInstancesCommand({ InstanceIds: [InstanceId] }));
    await our.good("destroy");
    expect(await leftovers(our.there)).toEqual([]);
  });
});

describe("a stack whose state is lost", { timeout: 240_000 }, () => {
  let our: OfflineCluster;
  let before: unknown[];
  beforeAll(async () => {
    our = await offlineCluster();
    await our.write("trio");
    await our.good("up");
    before = ids(await byNode(our));
  });
  afterAll(() => our?.gone());

  it("goes on under another name with the machines that there are, at the addresses that they have", async () => {
    const { adopt, network } = (await our.me.tutti(["adopt", "trio", "--offline", "--json"])).json();
    await our.edit((text) => text.replace(/network:\n {4}cidr: \S+/, `network: ${JSON.stringify(network)}`));
    // Nothing but the machines is the new stack's: firewalls, profiles and tags all differ.
    const env = { TUTTI_ADOPT: JSON.stringify(adopt) };
    const { code, err } = await our.tutti("up", ["--yes", "--stack", "two"], { env });
    expect([code, [...err.matchAll(/machine (\S+) .*taken in/g)].map(([, node]) => node).sort()]).toEqual([
      0,
      ["lead-0", "run-0", "work-0"],
    ]);
    expect(ids(await byNode(our))).toEqual(before);
  });

  it("has its own firewalls, rights and tags after the next up, and the machines run on", async () => {
    our.there.api.faults.clear();
    const { changes } = await our.good("up", ["--stack", "two"]);
    expect(changes.map(({ deed, name }) => `${deed} ${name}`).sort()).toEqual([
      "change lead-0",
      "change run-0",
      "change work-0",
    ]);
    const there = await byNode(our);
    expect(ids(there)).toEqual(before);
    expect(our.there.api.faults.counts.get("StopInstances") ?? 0).toBe(0);
    for (const one of there.values()) expect(tagOf(one, "tutti:stack")).toBe("two");
  });
});

/** Kills the engine with the nth call of an action, done but not yet answered. Tells how many it has killed. */
function killAfter({ there, me }: OfflineCluster, action: string, nth: number): () => number {
  let [calls, kills] = [0, 0];
  there.api.faults.onDone(async (call) => {
    if (call.action !== action || ++calls !== nth) return;
    for (const { pid } of (await processesWith(me.home)).filter(({ argv }) => /^\S*pulumi up /.test(argv))) {
      process.kill(pid, "SIGKILL");
      kills++;
    }
  });
  return () => kills;
}
