import type { Command } from "./command.ts";
import { apps } from "./table/apps.ts";
import { cluster } from "./table/cluster.ts";
import { clusters } from "./table/ground.ts";
import { inside } from "./table/inside.ts";
import { ground } from "./table/inventory.ts";

/** What needs no cluster to talk to. The full rows are in files of their own, imported when the word is used. */
const machine: readonly Command[] = [
  {
    name: "solo",
    group: "This machine",
    summary: "a whole cluster on this machine: up, down",
    example: "solo up --push examples/apps/hello",
    more: async () => {
      const { soloCommand } = await import("./solo.ts");
      return soloCommand;
    },
  },
  {
    name: "rehearse",
    group: "This machine",
    summary: "a cluster.yaml from `pulumi up` to the first request, on machines that boot here",
    example: "rehearse examples/trio/cluster.yaml",
    more: async () => {
      const { rehearseCommand } = await import("./rehearse.ts");
      return rehearseCommand;
    },
  },
];

/** Every command of ours, in the order of the help. */
export const commands: readonly Command[] = [...apps, ...inside, ...cluster, ...clusters, ...ground, ...machine];
