import { afterEach, describe, expect, it, vi } from "vitest";
import { tagKeys } from "../../infra/tags.ts";
import { bundle, declareCluster, profile, readBirth } from "../support/infra.ts";
import type { Declared, Registration } from "../support/pulumi.ts";

const instances = "aws:ec2/instance:Instance";
const ingress = "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule";

/** The profiles as they are, each declared once. */
const declared = new Map<string, Promise<Declared>>();
function asIs(name: string): Promise<Declared> {
  const known = declared.get(name) ?? declareCluster(profile(name));
  declared.set(name, known);
  return known;
}

/** The order in which registrations come is nobody's business. */
const byName = (found: Registration[]) => found.toSorted((one, other) => one.name.localeCompare(other.name));

/** `firewall port source` of every opening. */
function open({ ofType }: Declared): string[] {
  return ofType(ingress)
    .map(({ inputs }) => {
      const { securityGroupId, fromPort, toPort, cidrIpv4, referencedSecurityGroupId } = inputs;
      const ports = fromPort === toPort ? fromPort : `${fromPort}-${toPort}`;
      return `${securityGroupId.replace("-id", "")} ${ports} ${cidrIpv4 ?? referencedSecurityGroupId.replace("-id", "")}`;
    })
    .sort();
}

describe("what a cluster declares", () => {
  it.each(["trio", "five", "twenty"])("has in %s the identities that stacks of earlier versions know", async (name) => {
    const { all } = await asIs(name);
    const list = all.map(({ identity }) => identity).sort();
    expect(new Set(list).size).toBe(list.length);
    // A line that changes or goes is a resource that is destroyed in every cluster there is: see infra/tokens.ts.
    await expect(`${list.join("\n")}\n`).toMatchFileSnapshot(`golden/${name}.txt`);
  });

  it("tags everything that can be tagged with cluster, stack, node, owner and expiry", async () => {
    const { all } = await asIs("trio");
    // These have no tags of their own on AWS: each is a part of something that has.
    const parts =
      /^pulumi|^tutti:|route:Route$|CidrReservation$|Association$|:RolePolicy$|:BucketP|:BucketV|:BucketServerSide|route53.record:Record$/;
    const wanted = [tagKeys.cluster, tagKeys.stack, tagKeys.node, tagKeys.owner, tagKeys.expires];
    for (const { identity, type, inputs } of all.filter((one) => !parts.test(one.type)))
      expect(Object.keys(inputs.tags ?? {}), `${identity} (${type})`).toEqual(expect.arrayContaining(wanted));
  });

  it("tags a machine's disk and address as the machine", async () => {
    const { ofType } = await asIs("trio");
    const lead = ofType(instances).find(({ name }) => name === "trio-dev-lead-0");
    expect(lead?.inputs.tags).toMatchObject({
      Name: "trio-dev-lead-0",
      "tutti:node": "lead-0",
      "tutti:roles": "core,controller,health,router",
      "tutti:expires": "never",
    });
    expect(lead?.inputs.rootBlockDevice).toMatchObject({ encrypted: true, tags: lead?.inputs.tags });
    expect(ofType("aws:ec2/eip:Eip").map(({ inputs }) => inputs.tags)).toEqual([lead?.inputs.tags]);
  });

  it("asks every machine for the second version of its metadata service, one hop away, tags on", async () => {
    const { ofType } = await asIs("five");
    expect(ofType(instances)).toHaveLength(5);
    for (const { inputs } of ofType(instances))
      expect(inputs.metadataOptions).toEqual({
        httpEndpoint: "enabled",
        httpTokens: "required",
        httpPutResponseHopLimit: 1,
        instanceMetadataTags: "enabled",
      });
  });

  it("carries the stack in every name, so that a cluster may stand twice in one account", async () => {
    const { all } = await declareCluster(profile("trio"), {}, { stack: "blue" });
    const names = all.filter(({ type }) => !/^pulumi:pulumi|:Cluster$/.test(type)).map(({ name }) => name);
    expect(names.filter((name) => !name.startsWith("trio-blue"))).toEqual([]);
  });
});

describe("the address of a core", () => {
  it("is chosen by the program: the machine is asked to have it, and gives it up before another takes its place", async () => {
    const made = byName((await asIs("five")).ofType(instances));
    const cores = made.filter(({ name }) => name.includes("-core-"));
    expect(cores.map(({ inputs }) => inputs.privateIp)).toEqual(["10.20.0.10", "10.20.16.11", "10.20.32.12"]);
    expect(made.map(({ name, oldFirst }) => [name.includes("-core-"), oldFirst])).toEqual(
      [true, true, true, false, false].map((core) => [core, core]),
    );
  });

  it("is kept free for it in every subnet, before any machine is there", async () => {
    const { all, ofType } = await asIs("five");
    const kept = ofType("aws:ec2/subnetCidrReservation:SubnetCidrReservation");
    expect(kept.map(({ inputs }) => [inputs.cidrBlock, inputs.reservationType])).toEqual(
      ["10.20.0.8/29", "10.20.16.8/29", "10.20.32.8/29"].map((block) => [block, "explicit"]),
    );
    const order = all.map(({ name, type }) => (type === instances ? "machine" : name));
    expect(order.indexOf("machine")).toBeGreaterThan(Math.max(...kept.map(({ name }) => order.indexOf(name))));
  });
});

describe("what is open", () => {
  it("is in trio the router to everyone, ssh to the spec's network, and the rest to the cluster's own nodes", async () => {
    expect(open(await asIs("trio"))).toEqual([
      "trio-dev-lead 4222 trio-dev-members",
      "trio-dev-lead 80 0.0.0.0/0",
      "trio-dev-lead 9022 trio-dev-members",
      "trio-dev-lead 9100-9109 trio-dev-members",
      "trio-dev-members 22 203.0.113.0/24",
      "trio-dev-run 12345 trio-dev-members",
      "trio-dev-run 61001-65000 trio-dev-members",
      "trio-dev-run 9100-9109 trio-dev-members",
      "trio-dev-work 12345 trio-dev-members",
      "trio-dev-work 61001-65000 trio-dev-members",
      "trio-dev-work 9100-9109 trio-dev-members",
    ]);
  });

  it("is in twenty its status at a stager, routes at cores for other nodes, and only the router to everyone", async () => {
    const lines = open(await asIs("twenty"));
    const at = (group: string) => lines.filter((line) => line.startsWith(`twenty-dev-${group} `));
    expect(at("stager")).toEqual(["twenty-dev-stager 9100-9109 twenty-dev-members"]);
    expect(lines.filter((line) => / 6222 /.test(line))).toEqual(["twenty-dev-core 6222 twenty-dev-members"]);
    expect(lines.filter((line) => line.endsWith("0.0.0.0/0"))).toEqual(["twenty-dev-router 80 0.0.0.0/0"]);
  });

  it("is no ssh and no key where the spec has none", async () => {
    const declared = await declareCluster(profile("five", (text) => text.replace(/ {2}ssh:\n.*\n.*\n/, "")));
    expect(open(declared).filter((line) => / 22 /.test(line))).toEqual([]);
    expect(declared.ofType("aws:ec2/keyPair:KeyPair")).toEqual([]);
  });
});

describe("a change of roles", () => {
  const changed = (text: string) => text.replace("roles: [dea]", "roles: [dea, stager, router]");

  it("changes a machine's tags and nothing else that EC2 would stop or replace it for", async () => {
    const run = async (spec = profile("trio")) => (await declareCluster(spec)).ofType(instances);
    const find = (list: Awaited<ReturnType<typeof run>>) => list.find(({ name }) => name === "trio-dev-run-0");
    const [before, after] = [find(await run()), find(await run(profile("trio", changed)))];
    // The user data is another one at each run; the engine is told to leave it as it was at birth.
    expect(after?.ignoreChanges).toContain("userDataBase64");
    const lasting = (inputs: Record<string, unknown> = {}) => ({
      ...inputs,
      ...{ tags: 0, rootBlockDevice: 0, userDataBase64: 0 },
    });
    expect(lasting(after?.inputs)).toEqual(lasting(before?.inputs));
    expect(after?.inputs.tags["tutti:roles"]).toBe("dea,stager,router");
    expect({ ...after?.inputs.rootBlockDevice, tags: 0 }).toEqual({ ...before?.inputs.rootBlockDevice, tags: 0 });
  });

  it("is no other ssh key: that is for nodes that are born later", async () => {
    const { ofType } = await asIs("trio");
    for (const { ignoreChanges } of ofType(instances)) expect(ignoreChanges).toContain("keyName");
  });

  it("opens what the new role needs at the group's firewall", async () => {
    const lines = open(await declareCluster(profile("trio", changed)));
    expect(lines).toContain("trio-dev-run 80 0.0.0.0/0");
  });
});

describe("what a machine is told at birth", () => {
  const births = async (name: string) => {
    const { ofType } = await asIs(name);
    return new Map(ofType(instances).map((one) => [one.name, readBirth(one.inputs.userDataBase64)]));
  };

  it("is its roles and where its agent is", async () => {
    const lead = (await births("trio")).get("trio-dev-lead-0");
    expect(lead).toMatchObject({
      node: { id: "lead-0", cluster: "trio", zone: "eu-central-1a", roles: ["core", "controller", "health", "router"] },
      bundle: { sha256: bundle.sha256, sources: ["s3://trio-dev-id/agent/tutti-agent-0.1.0-x64-abababab.tar.gz"] },
      region: "eu-central-1",
    });
  });

  it.each([
    ["trio", ["10.20.0.10"]],
    ["five", ["10.20.0.10", "10.20.16.11", "10.20.32.12"]],
  ])("is in %s, to every node, where all cores are: their own addresses too", async (name, cores) => {
    const told = [...(await births(name))].map(([, birth]) => birth.cores);
    expect(told.length).toBeGreaterThan(2);
    expect(new Set(told.map((list) => list.join()))).toEqual(new Set([cores.join()]));
  });

  it("is to a core, and to nobody else, where the cluster's authority lies", async () => {
    const told = [...(await births("five"))].map(([name, { authority }]) => [name, authority]);
    const place = "s3://five-dev-id/identity/authority.json";
    expect(told.filter(([, authority]) => authority)).toEqual(
      ["core-0", "core-1", "core-2"].map((id) => [`five-dev-${id}`, place]),
    );
  });

  it("waits for the bundle to be in the bucket", async () => {
    const declared = await asIs("trio");
    const agent = declared.all.find(({ name }) => name === "trio-dev-agent");
    for (const { dependsOn } of declared.ofType("aws:ec2/instance:Instance")) expect(dependsOn).toContain(agent?.urn);
  });
});

describe("secrets", () => {
  it("go to the engine marked as such, and nowhere else", async () => {
    const { all, ofType } = await asIs("trio");
    const identity = all.find(({ name }) => name === "trio-dev-identity");
    const { key, join } = JSON.parse(identity?.inputs.content);
    expect(identity?.secretInputs).toContain("content");
    const seed = Buffer.alloc(32, 7).toString("base64");
    for (const one of all.filter((other) => other !== identity)) {
      const text = JSON.stringify(one.inputs);
      for (const secret of [seed, join, key.split("\n")[1]]) expect(text, one.identity).not.toContain(secret);
    }
    for (const { inputs, secretInputs, secretOutputs } of ofType(instances)) {
      const { claim } = readBirth(inputs.userDataBase64);
      expect([...secretInputs, ...secretOutputs]).toEqual(["userDataBase64", "userDataBase64"]);
      expect(JSON.stringify({ ...inputs, userDataBase64: 0 })).not.toContain(claim.secret);
      expect(JSON.stringify(readBirth(inputs.userDataBase64))).not.toContain(join);
    }
    expect(ofType("pulumi-nodejs:dynamic/infra:Seed")[0]?.secretOutputs).toEqual(["seed"]);
  });

  it("of the cluster are read by machines with the role core, and by no other", async () => {
    const { ofType } = await asIs("trio");
    const readers = ofType("aws:iam/rolePolicy:RolePolicy").filter(({ inputs }) =>
      inputs.policy.includes("/identity/"),
    );
    expect(readers.map(({ name }) => name)).toEqual(["trio-dev-lead"]);
  });
});

describe("what is there already", () => {
  it("is a network: nothing of it is made, the machines stand in its subnets", async () => {
    const given = "network: { vpc: vpc-0a, subnets: { a: subnet-0a, b: subnet-0b } }";
    const declared = await declareCluster(profile("trio", (text) => text.replace(/network:\n {4}cidr: \S+/, given)));
    expect(declared.all.filter(({ type }) => /ec2\/(vpc|subnet|route|internetGateway)/.test(type))).toEqual([]);
    expect(declared.ofType(instances).map(({ inputs }) => inputs.subnetId)).toEqual([
      "subnet-0a",
      "subnet-0b",
      "subnet-0a",
    ]);
  });

  it("is a network with one core: EC2 chooses its address, and the others are told it when it is known", async () => {
    const given = "network: { vpc: vpc-0a, subnets: { a: subnet-0a, b: subnet-0b } }";
    const { ofType } = await declareCluster(profile("trio", (text) => text.replace(/network:\n {4}cidr: \S+/, given)));
    const [lead, ...others] = ofType(instances);
    expect(lead?.inputs.privateIp).toBeUndefined();
    expect(readBirth(lead?.inputs.userDataBase64).cores).toEqual([]);
    for (const { inputs } of others)
      expect(readBirth(inputs.userDataBase64).cores).toEqual([expect.stringMatching(/^10\./)]);
  });

  it("is a network with three cores at the addresses that the spec gives them", async () => {
    const given = `network:
    vpc: vpc-0a
    subnets: { a: subnet-0a, b: subnet-0b, c: subnet-0c }
    cores: { core-0: 172.31.0.40, core-1: 172.31.16.40, core-2: 172.31.32.40 }`;
    const { ofType } = await declareCluster(
      profile("five", (text) => text.replace("zones: [a, b, c]", `zones: [a, b, c]\n  ${given}`)),
    );
    const made = byName(ofType(instances));
    expect(made.map(({ inputs }) => inputs.privateIp)).toEqual([
      "172.31.0.40",
      "172.31.16.40",
      "172.31.32.40",
      undefined,
      undefined,
    ]);
    for (const { inputs } of made) expect(readBirth(inputs.userDataBase64).cores).toHaveLength(3);
  });

  it("is a machine that the state has lost: it is taken as it is", async () => {
    const { ofType } = await declareCluster(profile("trio"), { adopt: { "run-0": "i-0123" } });
    const [run, work] = ["run-0", "work-0"].map((id) => ofType(instances).find(({ name }) => name.endsWith(id)));
    expect([run?.importId, work?.importId]).toEqual(["i-0123", ""]);
    // What can be changed in place is changed by the next run: the engine takes nothing in that differs.
    expect(run?.ignoreChanges).toEqual(expect.arrayContaining(["vpcSecurityGroupIds", "iamInstanceProfile", "tags"]));
    expect(work?.ignoreChanges).not.toContain("tags");
  });

  it("is an image of an id: another one replaces, while the newest by name never does", async () => {
    const byName = (await asIs("trio")).ofType(instances)[0];
    const fixed = profile("trio", (text) => text.replace("image: debian-12", "image: ami-00000000"));
    const byId = (await declareCluster(fixed)).ofType(instances)[0];
    expect([byName?.ignoreChanges, byId?.ignoreChanges].map((keys) => keys?.includes("ami"))).toEqual([true, false]);
    expect(byId?.inputs.ami).toBe("ami-00000000");
  });
});

describe("a program that is run to replace machines one after the other", () => {
  afterEach(() => vi.unstubAllEnvs());
  const gates = (declared: Declared) =>
    declared.all.filter(({ type }) => type.startsWith("pulumi-nodejs:dynamic/infra/gate:"));

  it("has gates at those machines only, and no other program has any", async () => {
    expect(gates(await asIs("trio"))).toEqual([]);
    vi.stubEnv("TUTTI_GATES", JSON.stringify({ socket: "/bell", names: ["trio-dev-run-0"] }));
    const found = gates(await declareCluster(profile("trio")));
    expect(found.map(({ name, inputs }) => [name, inputs.what, inputs.instance]).sort()).toEqual([
      ["trio-dev-run-0", "drain", "trio-dev-run-0-id"],
      ["trio-dev-run-0", "ready", "trio-dev-run-0-id"],
    ]);
  });

  it("lets a router have its address after the first gate and before the second", async () => {
    vi.stubEnv("TUTTI_GATES", JSON.stringify({ socket: "/bell", names: ["trio-dev-lead-0"] }));
    const declared = await declareCluster(profile("trio"));
    const [drain, ready] = gates(declared).toSorted((one, other) => one.type.localeCompare(other.type));
    const [bound] = declared.ofType("aws:ec2/eipAssociation:EipAssociation");
    expect(bound?.dependsOn).toContain(ready?.urn);
    expect(drain?.dependsOn).toContain(bound?.urn);
  });
});

describe("what a person gets to know", () => {
  it("is the nodes with roles and addresses, where the API is, and the next command", async () => {
    const { outputs } = await asIs("trio");
    expect(outputs.nodes.map(({ id, roles }: { id: string; roles: string[] }) => `${id}: ${roles}`)).toEqual([
      "lead-0: core,controller,health,router",
      "work-0: dea,stager",
      "run-0: dea",
    ]);
    expect(outputs.nodes[0]).toMatchObject({ publicAddress: outputs.routers[0], type: "t3.small" });
    expect(outputs).toMatchObject({
      api: "http://api.trio.example.com",
      next: `point trio.example.com and *.trio.example.com at ${outputs.routers}, then: tutti target http://api.trio.example.com`,
    });
  });

  it("is, with a zone of theirs, names that lead to every router", async () => {
    const { outputs, ofType } = await asIs("twenty");
    const records = ofType("aws:route53/record:Record");
    expect(records.map(({ inputs }) => inputs.name)).toEqual(["apps.example.com", "*.apps.example.com"]);
    expect(records[0]?.inputs.records).toEqual(outputs.routers);
    expect(outputs.next).toBe("tutti target http://api.apps.example.com");
  });
});
