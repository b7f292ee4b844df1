import { Instance } from "@pulumi/aws/ec2/instance.js";
import { ComponentResource, CustomResource } from "@pulumi/pulumi";
import { Cluster } from "../../infra/cluster.ts";
import { parseCluster } from "../../roles/spec.ts";
import { bundle } from "../support/infra.ts";
import { declare } from "../support/pulumi.ts";
import { type Benchmark, median, pairs, spreadOf } from "./harness.ts";

const nodes = 1000;
const spec = parseCluster(`
name: thousand
domain: thousand.test
aws: { region: eu-central-1, owner: bench, zones: [a, b, c] }
nodes:
  - { name: lead, roles: [core, controller, health, router] }
  - { name: dea, count: ${nodes - 1}, roles: [dea] }
`);

/** Nothing but its name: what registering costs whoever does it. */
class Empty extends CustomResource {
  constructor(name: string) {
    super("empty:index:Empty", name, {});
  }
}

/** As many resources of the kinds that a node is, as the SDK has them, with nothing in them. */
function emptyNodes(count: number): void {
  for (let i = 0; i < count / 2; i++) {
    const parent = new ComponentResource("empty:index:Node", `empty-${i}`);
    new Instance(`empty-${i}`, { ami: "ami-00000000", instanceType: "t3.medium" }, { parent });
  }
}

async function timed(program: () => unknown): Promise<number> {
  const start = performance.now();
  await declare(program, { collect: false });
  return performance.now() - start;
}

const ours = () => timed(() => new Cluster("thousand", { spec, bundle }).next);
const bare = (count: number) => () =>
  timed(() => {
    for (let i = 0; i < count; i++) new Empty(`bare-${i}`);
  });

/** The Pulumi program of a large cluster, without an engine: how long until everything is declared. */
export const infra: Benchmark = {
  name: "infra",
  what: "the Pulumi program declares 1,000 nodes, each with its user data",
  async run(tell) {
    const { all } = await declare(() => new Cluster("thousand", { spec, bundle }).next);
    // The stack itself is registered in either program.
    const count = all.length - 1;
    tell(`${nodes} nodes are ${count} resources`);
    const { a, b, ratios } = await pairs(3, ours, bare(count));
    // Told beside it, because it says where the time goes: what the SDK's own classes cost with nothing in them.
    const sdk = await timed(() => emptyNodes(count));
    return [
      {
        name: "1,000 nodes declared",
        value: median(a) / 1000,
        unit: "s",
        goal: { atMost: 5 },
        spread: spreadOf(a.map((ms) => ms / 1000)),
      },
      {
        name: "against as many empty resources",
        value: median(ratios),
        unit: "times",
        goal: { atMost: 1.5 },
        spread: spreadOf(ratios),
        compare: `${(median(b) / 1000).toFixed(2)} s for ${count} resources with nothing but a name`,
      },
      {
        name: "against as many empty aws.ec2.Instance",
        value: median(a) / sdk,
        unit: "times",
        compare: `${(sdk / 1000).toFixed(2)} s for ${count} components and instances, one run`,
      },
    ];
  },
};
