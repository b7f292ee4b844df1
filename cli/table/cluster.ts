import type { Command, OptionRow } from "../command.ts";
import { node } from "./inventory.ts";

const group = "Cluster";
const block: OptionRow = { flags: "-b, --block <seconds>", summary: "wait until it is so; 0 waits for ever" };

export const cluster: readonly Command[] = [
  {
    name: "target",
    group,
    arguments: "[url]",
    summary: "choose the cluster, or the organization and space to work in; without arguments show them",
    example: "target http://api.tutti.localhost:8080",
    load: async () => (await import("../target.ts")).target,
  },
  {
    name: "login",
    group,
    arguments: "[email]",
    summary: "log in; the password is asked for, or comes from TUTTI_PASSWORD, or with --password-stdin",
    example: "login me@example.com --password-stdin < password.txt",
    options: [{ flags: "--password-stdin", summary: "read the password from standard input" }],
    load: async () => (await import("../login.ts")).login,
  },
  {
    name: "logout",
    group,
    summary: "forget the login",
    example: "logout",
    load: async () => (await import("../login.ts")).logout,
  },
  {
    name: "info",
    group,
    summary: "the cluster, your login, and the roles that are assigned and available",
    example: "info --json",
    load: async () => (await import("../info.ts")).info,
  },
  {
    name: "status",
    group,
    summary: "roles of each node, and the health of every component",
    example: "status",
    load: async () => (await import("../status.ts")).status,
  },
  {
    name: "ready",
    group,
    summary: "print READY when every component is healthy; exit 1 when not",
    example: "ready --block 60",
    options: [block],
    load: async () => (await import("../ready.ts")).ready,
  },
  node,
  {
    name: "role",
    group,
    summary: "the roles nodes can have",
    example: "role list",
    commands: [
      {
        name: "list",
        summary: "every role and the nodes that have it",
        example: "role list",
        load: async () => (await import("../roles.ts")).roleList,
      },
      {
        name: "info",
        arguments: "[role...]",
        summary: "what a role is for, what it runs, and where",
        example: "role info router",
        load: async () => (await import("../roles.ts")).roleInfo,
      },
    ],
  },
  {
    name: "process",
    group,
    summary: "the components that run on the nodes",
    example: "process list",
    commands: [
      {
        name: "list",
        summary: "every component with its state",
        example: "process list",
        load: async () => (await import("../process.ts")).processList,
      },
      {
        name: "ready",
        arguments: "[component...]",
        summary: "print READY when they run: all, or those named",
        example: "process ready all --block 60",
        options: [block],
        load: async () => (await import("../ready.ts")).ready,
      },
    ],
  },
];
