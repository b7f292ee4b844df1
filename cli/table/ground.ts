import type { Command, OptionRow } from "../command.ts";
import { bootstrap } from "./bootstrap.ts";

const group = "Cluster";
const where: readonly OptionRow[] = [
  { flags: "--stack <name>", summary: "which of the clusters of this spec (default: dev)" },
  {
    flags: "--offline",
    summary: "on an EC2 API of this machine: nothing is asked of AWS, nothing boots, nothing costs",
  },
];
const bundle: OptionRow = { flags: "--bundle <file>", summary: "agent for the nodes (default: the newest made here)" };
const cost: readonly OptionRow[] = [
  { flags: "--cost", summary: "show what it costs a month, and how that differs from what stands" },
  { flags: "--budget <dollars>", summary: "exit 1 when it would cost more than this a month" },
];
const yes: OptionRow = { flags: "-y, --yes", summary: "do not ask" };

/** Clusters on EC2. */
export const clusters: readonly Command[] = [
  {
    name: "preview",
    group,
    arguments: "<spec>",
    summary: "what `up` would do on EC2, and which roles would feel it; exit 2 when there is something to do",
    example: "preview examples/trio/cluster.yaml --cost --budget 100",
    options: [...where, bundle, ...cost],
    notes: "Prices are those of a dated table in the project: an estimate, without traffic and requests.",
    load: async () => (await import("../cluster/preview.ts")).preview,
  },
  {
    name: "up",
    group,
    arguments: "<spec>",
    summary: "make a cluster on EC2, or change it, so that it is as its cluster.yaml says",
    example: "up examples/trio/cluster.yaml --stack dev",
    options: [...where, bundle, ...cost, yes],
    notes:
      "State and account are those of `pulumi` itself: pulumi login, AWS_PROFILE and so on. An `up` that was interrupted\n" +
      "is simply run again. --offline keeps its world in a process of its own until `tutti offline down`.",
    load: async () => (await import("../cluster/up.ts")).up,
  },
  bootstrap,
  {
    name: "refresh",
    group,
    arguments: "<spec>",
    summary: "look at what is on EC2 and show what was changed by hand; `up` mends it",
    example: "refresh examples/trio/cluster.yaml",
    options: where,
    load: async () => (await import("../cluster/refresh.ts")).refresh,
  },
  {
    name: "destroy",
    group,
    arguments: "<spec>",
    summary: "take a cluster on EC2 away, with all that is in it",
    example: "destroy examples/trio/cluster.yaml --offline --yes",
    options: [...where, yes],
    load: async () => (await import("../cluster/destroy.ts")).destroy,
  },
  {
    name: "offline",
    group: "This machine",
    summary: "the EC2 API of --offline: up, down",
    example: "offline down",
    commands: [
      {
        name: "up",
        summary: "start it, or say where it answers; --offline does so by itself",
        example: "offline up --json",
        load: async () => (await import("../cluster/offline/commands.ts")).offlineUp,
      },
      {
        name: "down",
        summary: "end it, with every cluster that stands on it",
        example: "offline down",
        load: async () => (await import("../cluster/offline/commands.ts")).offlineDown,
      },
    ],
  },
];
