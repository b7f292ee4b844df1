import type { Command, OptionRow } from "../command.ts";

const group = "Apps";
const strategy: OptionRow = {
  flags: "--strategy <how>",
  summary: "rolling (default when it runs already: no request is lost) or restart",
  choices: ["rolling", "restart"],
};
const force: OptionRow = { flags: "--force", summary: "do not ask" };

const push: Command = {
  name: "push",
  group,
  arguments: "[app]",
  summary: "upload a directory and run it; reads manifest.yml or stackato.yml when there is one",
  example: "push hello --path ./hello --memory 128M -i 2",
  options: [
    { flags: "-p, --path <dir>", summary: "directory with the app (default: of the manifest, else this one)" },
    { flags: "-f, --manifest <file>", summary: "manifest to read instead of manifest.yml or stackato.yml" },
    { flags: "--no-manifest", summary: "read none" },
    { flags: "-m, --memory <size>", also: ["--mem"], summary: "memory of each instance, e.g. 256M" },
    { flags: "-k, --disk <size>", summary: "disk of each instance, e.g. 1G" },
    { flags: "-i, --instances <n>", summary: "how many instances" },
    {
      flags: "-b, --buildpack <name>",
      also: ["--framework"],
      summary: "framework to use instead of detecting one",
      many: true,
    },
    { flags: "-c, --command <command>", summary: "start command instead of the detected one" },
    {
      flags: "-e, --env <NAME=VALUE>",
      summary: "environment variable (secrets: tutti set-env APP NAME -)",
      many: true,
    },
    { flags: "--hostname <host>", summary: "host below the cluster's domain (default: the app's name)" },
    { flags: "--url <url>", summary: "full address instead, e.g. shop.example.com/cart", many: true },
    { flags: "--no-route", summary: "map no address" },
    { flags: "--no-start", summary: "upload only" },
    { flags: "--no-tail", summary: "do not show what staging says" },
    {
      flags: "--health-check-type <type>",
      summary: "when an instance counts as up: it listens, it answers, it lives",
      choices: ["port", "http", "process"],
    },
    { flags: "-t, --timeout <seconds>", summary: "how long an instance may take until it is up" },
    strategy,
  ],
  load: async () => (await import("../push/push.ts")).push,
};

const lifecycle = (
  name: "start" | "stop" | "restart" | "restage",
  summary: string,
  options: OptionRow[] = [],
): Command => ({
  name,
  group,
  arguments: "<app>",
  summary,
  example: `${name} hello`,
  options,
  load: async () => (await import("../lifecycle.ts"))[name],
});

export const apps: readonly Command[] = [
  push,
  lifecycle("start", "start a stopped app and wait until it answers"),
  lifecycle("stop", "stop all instances; the app and its addresses stay"),
  lifecycle("restart", "start all instances anew", [strategy]),
  lifecycle("restage", "build the app anew from the files of the last push, and run that", [strategy]),
  {
    name: "scale",
    group,
    arguments: "<app>",
    summary: "change the number or the size of instances; without options show them",
    example: "scale hello -i 3 --mem 512M",
    options: [
      { flags: "-i, --instances <n>", summary: "how many instances" },
      { flags: "-m, --mem <size>", also: ["--memory"], summary: "memory of each instance, e.g. 256M" },
      { flags: "-k, --disk <size>", summary: "disk of each instance, e.g. 1G" },
      { flags: "--process <type>", summary: "process type (default: web)" },
    ],
    load: async () => (await import("../scale.ts")).scale,
  },
  {
    name: "delete",
    group,
    arguments: "<app>",
    summary: "delete an app with all it has; its addresses become free",
    example: "delete hello --force",
    options: [force, { flags: "--keep-routes", summary: "leave its addresses in the space" }],
    load: async () => (await import("../delete.ts")).remove,
  },
  {
    name: "set-env",
    group,
    arguments: "<app> <name> <value>",
    summary: "set an environment variable; the value - is read from standard input",
    example: "set-env hello API_KEY - < key.txt",
    load: async () => (await import("../env.ts")).setEnv,
  },
  {
    name: "unset-env",
    group,
    arguments: "<app> <name>",
    summary: "remove an environment variable",
    example: "unset-env hello DEBUG",
    load: async () => (await import("../env.ts")).unsetEnv,
  },
  {
    name: "map",
    group,
    arguments: "<app> <url>",
    summary: "give an app another address",
    example: "map hello shop.tutti.localhost",
    load: async () => (await import("../routes.ts")).map,
  },
  {
    name: "unmap",
    group,
    arguments: "<app> <url>",
    summary: "take an address from an app",
    example: "unmap hello shop.tutti.localhost",
    load: async () => (await import("../routes.ts")).unmap,
  },
];
