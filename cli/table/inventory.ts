import type { Command, OptionRow } from "../command.ts";

const group = "Cluster";
const region: OptionRow = {
  flags: "--region <name>",
  summary: "AWS region, or all (default: that of your AWS settings)",
};
const offline: OptionRow = {
  flags: "--offline",
  summary: "look at the EC2 API of this machine, where --offline clusters stand",
};
const cluster: OptionRow = { flags: "--cluster <name>", summary: "only this cluster" };
const budget: OptionRow = { flags: "--budget <dollars>", summary: "exit 1 when it costs more than this a month" };

/** `tutti node …`: what the controller knows of nodes, and what AWS knows of their machines. */
export const node: Command = {
  name: "node",
  group,
  summary: "the cluster's nodes",
  example: "node list",
  commands: [
    {
      name: "list",
      summary: "every node with its roles, and whether it is there",
      example: "node list --from ec2",
      options: [
        { flags: "--from <whom>", summary: "who is asked (default: controller)", choices: ["controller", "ec2"] },
        { ...region, summary: `with --from ec2: ${region.summary}` },
        { ...cluster, summary: `with --from ec2: ${cluster.summary}` },
        { ...offline, summary: `with --from ec2: ${offline.summary}` },
      ],
      load: async () => (await import("../nodes.ts")).nodeList,
    },
    {
      name: "console",
      arguments: "<node>",
      summary: "what a node's machine on EC2 has printed: its boot, step by step",
      example: "node console lead-0",
      options: [region, cluster, offline],
      load: async () => (await import("../ground/console.ts")).nodeConsole,
    },
  ],
};

/** What works from AWS's tags and the price table alone, without state and without a controller. */
export const ground: readonly Command[] = [
  {
    name: "cost",
    group,
    arguments: "<spec>",
    summary: "what the cluster of a cluster.yaml costs a month, by a dated price table",
    example: "cost cluster.yaml --budget 100",
    options: [budget],
    load: async () => (await import("../ground/cost.ts")).cost,
  },
  {
    name: "sweep",
    group,
    summary: "show what on AWS is expired or belongs to no stack, and remove it",
    example: "sweep --expired --yes",
    options: [
      { flags: "--expired", summary: "only what is expired" },
      { flags: "--orphans", summary: "only what belongs to no stack or to no machine" },
      { flags: "--everything", summary: "with --cluster: all of it, whatever its expiry" },
      cluster,
      { flags: "--stacks <names>", summary: "stacks that exist, a,b,c: what is tagged with another is an orphan" },
      region,
      offline,
      { flags: "-y, --yes", summary: "do not ask" },
    ],
    notes:
      "Without --yes it asks, and where there is no terminal it only shows (exit code 2). What has no tags of tutti is never\ntouched. What is younger than an hour counts as being made. Safe to run again, also after it was cut off.",
    load: async () => (await import("../ground/sweep.ts")).sweepCommand,
  },
  {
    name: "adopt",
    group,
    arguments: "<cluster>",
    summary: "when a stack's state is lost: print the settings with which it takes in the machines there are",
    example: "adopt trio",
    options: [region, offline, { flags: "--stack <name>", summary: "which, when the cluster stands more than once" }],
    load: async () => (await import("../ground/adopt.ts")).adopt,
  },
];
