import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { SpecError } from "../../roles/problem.ts";
import { clusterSchema } from "../../roles/schema.ts";
import { type ClusterSpec, parseCluster } from "../../roles/spec.ts";

const trio = readFileSync(new URL("../../examples/trio/cluster.yaml", import.meta.url), "utf8");

/** Problems of a spec, as lines `path: message`. */
function problems(text: string): string[] {
  try {
    parseCluster(text);
    return [];
  } catch (error) {
    if (!(error instanceof SpecError)) throw error;
    return error.problems.map(({ path, message }) => `${path}: ${message}`);
  }
}

const bare = (nodes: string, more = "") => `name: small\ndomain: small.test\n${more}\nnodes:\n${nodes}`;
const all = "  - { name: all, roles: [core, controller, router, dea] }";
const aws = (more = "") => `aws: { region: eu-central-1, owner: me${more} }`;

describe("the profiles", () => {
  const profile = (name: string): ClusterSpec =>
    parseCluster(readFileSync(new URL(`../../examples/${name}/cluster.yaml`, import.meta.url), "utf8"), name);

  it.each([
    ["solo", 1],
    ["one", 1],
    ["trio", 3],
    ["five", 5],
    ["twenty", 20],
  ])("of %s is parsed and has %i nodes", (name, count) => {
    expect(profile(name).nodes.reduce((sum, group) => sum + group.count, 0)).toBe(count);
  });

  it("are read by editors with the schema of this version", () => {
    const written = JSON.parse(readFileSync(new URL("../../roles/cluster.schema.json", import.meta.url), "utf8"));
    // When this fails: node roles/writeSchema.ts && npm run format
    expect(written).toEqual(JSON.parse(JSON.stringify(clusterSchema())));
    for (const name of ["solo", "one", "trio", "five", "twenty"])
      expect(readFileSync(new URL(`../../examples/${name}/cluster.yaml`, import.meta.url), "utf8")).toContain(
        "$schema=../../roles/cluster.schema.json",
      );
  });

  it("show in trio every setting of the section aws that there is", () => {
    const { properties } = clusterSchema() as { properties: { aws: { properties: Record<string, unknown> } } };
    for (const key of Object.keys(properties.aws.properties)) expect(trio).toMatch(new RegExp(`\\b${key}:`));
  });
});

describe("a spec whose parts are wrong", () => {
  it("names every part at once, with its path and what to write", () => {
    const text = trio.replace("region: eu-central-1", "region: Frankfurt").replace("volume: 20", "volume: 1");
    expect(problems(text)).toEqual([
      "aws.region: a region such as eu-central-1",
      expect.stringMatching(/^nodes\[0\]\.volume: .*8/),
    ]);
  });

  it("names a setting that does not exist, and one that is missing", () => {
    expect(problems("name: small\ndomian: x\nnodes: []")).toEqual(
      expect.arrayContaining([
        "domain: is missing: write a string",
        "domian: is not a setting here: mend its name or leave it out",
      ]),
    );
  });

  it("guesses which role is meant by a misspelt one, and lists them where it cannot", () => {
    expect(problems(bare("  - { name: all, roles: [core, contoller, bananas] }"))).toEqual([
      'nodes[0].roles[1]: "contoller" is not known: did you mean controller?',
      expect.stringMatching(/^nodes\[0\]\.roles\[2\]: "bananas" is not known: write one of core, controller, health/),
    ]);
  });

  it("is told in words what kind of thing is wanted, and what is there", () => {
    expect(
      problems(bare("  - { name: all, roles: core, count: many, volume: 9999999 }\n  -\n  - { roles: [] }")),
    ).toEqual([
      'nodes[0].count: "many" is not a number',
      'nodes[0].roles: "core" is not a list: write [core]',
      "nodes[0].volume: must be at most 16384",
      "nodes[1]: is missing: write a group of settings",
      "nodes[2].name: is missing: write a string",
      "nodes[2].roles: is empty: write at least one",
    ]);
    expect(problems(bare("  colour: red"))).toEqual(["nodes: a group of settings is not a list"]);
  });

  it("is empty, or only remarks", () => {
    expect(["", "# to do", "---"].map(problems)).toEqual(
      Array.from({ length: 3 }, () => ["(top): is empty: write what the examples have"]),
    );
  });

  it("refuses a private key where the public one belongs, and does not repeat it", () => {
    const text = trio.replace("~/.ssh/id_ed25519.pub", '"-----BEGIN OPENSSH PRIVATE KEY----- hush"');
    expect(problems(text)).toEqual(["aws.ssh.key: this is a private key: write the public one (….pub)"]);
  });

  it("says the line of text that is not YAML", () => {
    expect(problems("name: [")).toEqual([expect.stringMatching(/^line \d+: /)]);
    expect(problems("name: a\n  b: c")).toEqual(["line 1: Nested mappings are not allowed in compact mappings"]);
  });
});

describe("a set of nodes that does not hold together", () => {
  it.each([2, 4, 7])("has %i cores", (count) => {
    const text = bare(`  - { name: all, count: ${count}, roles: [core, controller, router] }`);
    expect(problems(text)).toEqual([`nodes: ${count} nodes have the role core: it takes 1, 3 or 5`]);
  });

  it("lacks a controller and a router: both are said", () => {
    expect(problems(bare("  - { name: one, roles: [core] }"))).toEqual([
      "nodes: no node has the role controller: give it to one",
      "nodes: no node has the role router: give it to one",
    ]);
  });

  it("calls two groups the same, and a role twice", () => {
    expect(problems(bare(`${all}\n  - { name: all, roles: [dea, dea] }`))).toEqual([
      "nodes[1].name: all is used twice: names of groups are unique",
      "nodes[1].roles: dea is there twice: once is enough",
    ]);
  });

  it("wants a role that is only a word", () => {
    expect(problems(bare(`${all}\n  - { name: db, roles: [mysql] }`))).toEqual([
      "nodes[1].roles: mysql cannot be run yet: leave it out",
    ]);
  });

  it("has two roles on one node that open the same port", () => {
    const text = bare(all, "ports: { router: 9022, files: 61500 }");
    expect(problems(text)).toEqual([
      "ports.controller: 9022 is taken by ports.router: choose another",
      "ports.files: 61500 is taken by ports.instances: choose another",
    ]);
  });

  it("may use one port twice where no node opens both", () => {
    const apart = "  - { name: a, roles: [core, controller] }\n  - { name: b, roles: [router] }";
    expect(problems(bare(apart, "ports: { router: 9022 }"))).toEqual([]);
  });

  it("gives apps and status servers ports of one range", () => {
    expect(problems(bare(all, "ports: { instances: 9000-9200 }"))).toEqual([
      "ports.status: 9100-9109 meets ports.instances: choose another range",
      "ports.controller: 9022 is taken by ports.instances: choose another",
    ]);
  });

  it("gives apps a range that is none", () => {
    expect(problems(bare(all, "ports: { instances: 900-800 }"))).toEqual([
      expect.stringMatching(/^ports\.instances: 900-800 is no range of ports: write /),
    ]);
  });
});

describe("a cluster on EC2 that cannot stand there", () => {
  it("has machines too small for their roles: the error names larger ones", () => {
    const text = bare("  - { name: all, roles: [core, controller, router, dea], instanceType: t3.micro }", aws());
    expect(problems(text)).toEqual([
      "nodes[0].instanceType: t3.micro has 1024 MiB, core, controller, router, dea want 1480: write t3.small or t3.medium",
    ]);
  });

  it("gives apps more memory than the machine has", () => {
    const text = bare("  - { name: all, roles: [core, controller, router, dea], memory: 9000 }", aws());
    expect(problems(text)).toEqual([expect.stringMatching(/t3\.medium has 4096 MiB, .* write t3\.xlarge/)]);
  });

  it("mixes processors", () => {
    const text = bare("  - { name: all, roles: [core, controller, router, dea], instanceType: c7gn.large }", aws());
    expect(problems(text)).toEqual([
      "nodes[0].instanceType: c7gn.large is not x64: write t3.small or t3.medium, or change aws.architecture",
    ]);
  });

  it("takes a type that nobody here knows as it is", () => {
    const text = bare("  - { name: all, roles: [core, controller, router, dea], instanceType: u9.metal-1 }", aws());
    expect(problems(text)).toEqual([]);
  });

  it("puts a group into a zone that the cluster does not have, a core on spot, and leaves a port open", () => {
    const node = "  - { name: all, roles: [core, controller, router, dea], zones: [c], spot: true }";
    expect(problems(bare(node, `${aws()}\nports: { nats: 0 }`))).toEqual([
      "ports.nats: 0 does not do on EC2, whose firewall wants a number: choose one",
      "nodes[0].zones: zone c is not one of the cluster's: add it to aws.zones",
      "nodes[0].spot: a core keeps the cluster's memory: give it a group without spot",
    ]);
  });

  it("has half of a network that exists, or a network of a size that does not do", () => {
    expect(problems(bare(all, aws(", network: { vpc: vpc-0a }")))).toEqual([
      "aws.network: a network that exists takes both: vpc and subnets",
    ]);
    expect(problems(bare(all, aws(", network: { cidr: 10.0.0.0/28 }")))).toEqual([
      "aws.network.cidr: /28 does not do: write a network from /16 to /24",
    ]);
    expect(problems(bare(all, aws(", zones: [a, b], network: { vpc: vpc-0a, subnets: { a: subnet-0a } }")))).toEqual([
      "aws.zones: zone b has no subnet: add one to aws.network.subnets",
    ]);
  });

  it("has several cores in a network that exists: each needs an address, once, and nobody else does", () => {
    const three = "  - { name: all, count: 3, roles: [core, controller, router, dea] }";
    const at = (cores: string) => aws(`, network: { vpc: vpc-0a, subnets: { a: subnet-0a }${cores} }`);
    expect(problems(bare(three, at(", cores: { all-0: 10.0.0.9, all-1: 10.0.0.9, run-0: 10.0.0.8 }")))).toEqual([
      "aws.network.cores: all-2 is missing: write a free address of its zone's subnet",
      "aws.network.cores.run-0: is no core: the cores are all-0, all-1, all-2",
      "aws.network.cores.all-1: 10.0.0.9 is there twice: choose another",
    ]);
    expect(problems(bare(three, at("")))).toHaveLength(3);
    expect(problems(bare(all, at("")))).toEqual([]);
    expect(problems(bare(all, at(", cores: { all-0: ten }")))).toEqual([
      "aws.network.cores.all-0: a private address such as 10.0.1.10",
    ]);
  });

  it("gives cores addresses in a network that is made, where they are chosen", () => {
    expect(problems(bare(all, aws(", network: { cores: { all-0: 10.20.0.9 } }")))).toEqual([
      "aws.network.cores: is for a network that exists: in one that is made leave it out",
    ]);
  });

  it("has EC2's settings but no section aws", () => {
    expect(problems(bare("  - { name: all, roles: [core, controller, router], volume: 20 }"))).toEqual([
      "nodes[0].volume: is for a cluster on EC2: add the section aws, or leave it out",
    ]);
  });
});
