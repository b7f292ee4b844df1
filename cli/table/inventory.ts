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
const ssh: readonly OptionRow[] = [
  { flags: "--identity <file>", summary: "private key to log in with (default: your agent's, then ~/.ssh/id_…)" },
  { flags: "--user <name>", summary: "user to log in as, when the address names none" },
  { flags: "--known-hosts <file>", summary: "host keys that are known (default: ~/.ssh/known_hosts)" },
];
const host: OptionRow = { flags: "--host <user@host>", summary: "where the ssh of its machine answers" };
const yes: OptionRow = { flags: "-y, --yes", summary: "do not ask" };
const plan: OptionRow = { flags: "--plan", summary: "show what would be done; exit 2 when there is something" };
const budget: OptionRow = { flags: "--budget <dollars>", summary: "exit 1 when it costs more than this a month" };

/** `tutti node …`: what the cluster knows of its nodes and what AWS knows of their machines; how nodes come and go. */
export const node: Command = {
  name: "node",
  group,
  summary: "the cluster's nodes: list, explain, attach, upgrade, remove",
  example: "node list",
  commands: [
    {
      name: "list",
      summary: "every node with its roles, whether it is there, and its machine",
      example: "node list --from ec2",
      options: [
        {
          flags: "--from <whom>",
          summary: "who alone is asked (default: the cluster, and EC2 where its machines are)",
          choices: ["controller", "ec2"],
        },
        region,
        cluster,
        offline,
      ],
      load: async () => (await import("../nodes.ts")).nodeList,
    },
    {
      name: "explain",
      arguments: "<node>",
      summary: "why a machine is, or is not, a node: each step of its boot, what failed first",
      example: "node explain work-0",
      options: [
        {
          flags: "--from <whom>",
          summary:
            "who alone is asked (default: its console when it never came up, else the machine, else the controller)",
          choices: ["console", "ssh", "controller"],
        },
        ...[host, ...ssh, region, cluster, offline],
      ],
      load: async () => (await import("../node/explain.ts")).explain,
    },
    {
      name: "console",
      arguments: "<node>",
      summary: "what a node's machine on EC2 has printed: its boot, step by step",
      example: "node console lead-0",
      options: [region, cluster, offline],
      load: async () => (await import("../ground/console.ts")).nodeConsole,
    },
    {
      name: "attach",
      arguments: "<user@host>",
      summary: "make a machine that is not on EC2 a node, over ssh",
      example: "node attach admin@192.0.2.7 --role dea --name shelf-0",
      options: [
        { flags: "--role <role>", summary: "what it is for; several times, or role,role", many: true },
        { flags: "--name <node>", summary: "name of the node (default: the machine's own)" },
        { flags: "--address <ip>", summary: "where other nodes reach it (default: its way to the cores)" },
        { flags: "--zone <name>", summary: "instances of an app are spread over zones (default: default)" },
        { flags: "--bundle <file>", summary: "agent for it (default: the newest made here)" },
        { flags: "--within <seconds>", summary: "how long its agent may take to be ready (default: 300)" },
        ...[...ssh, plan],
      ],
      notes:
        "The machine runs Debian 12 or the like with systemd, lets you in as root or as a user with sudo, and reaches the\ncluster's cores. It does what user data does on EC2. Run it again when it was cut off: it goes on where it stopped.",
      load: async () => (await import("../node/attach.ts")).attach,
    },
    {
      name: "upgrade",
      arguments: "[node...]",
      summary: "another agent for all nodes, or those named: one after the other, apps untouched",
      example: "node upgrade --plan",
      options: [
        { flags: "--to <bundle>", summary: "file or directory of bundles (default: the newest made here)" },
        { flags: "--within <seconds>", summary: "how long an agent may take to be healthy (default: 120)" },
        ...[host, ...ssh, region, cluster, offline, plan, yes],
      ],
      notes:
        "An agent that does not become healthy is switched back, and it stops there. Cores come last. Safe to run again.",
      load: async () => (await import("../node/upgrade.ts")).upgrade,
    },
    {
      name: "remove",
      arguments: "<node>",
      summary: "let a node in no longer; a machine that was attached becomes a plain one again",
      example: "node remove shelf-0 --plan",
      options: [
        { flags: "--force", summary: "give up the instances of apps that it holds: they start elsewhere" },
        ...[host, ...ssh, plan, yes],
      ],
      load: async () => (await import("../node/remove.ts")).remove,
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
