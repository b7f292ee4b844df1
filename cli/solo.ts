import type { Command } from "./command.ts";

/** `tutti solo …`: a whole cluster on this machine. */
export const soloCommand: Command = {
  name: "solo",
  summary: "a whole cluster on this machine",
  example: "solo up",
  group: "This machine",
  commands: [
    {
      name: "up",
      summary: "stand the cluster up, take the license step, log in",
      example: "solo up --push examples/apps/hello",
      options: [
        { flags: "--spec <file>", summary: "cluster.yaml (default: the one of examples/solo)" },
        { flags: "--detach", summary: "leave it running and return" },
        { flags: "--push <directory>", summary: "push this app once the cluster answers" },
        { flags: "--email <address>", summary: "who takes the license step (default: you@<domain>)" },
      ],
      notes:
        "Settings: TUTTI_HOME (default ~/.tutti) holds what the cluster keeps; TUTTI_PASSWORD sets the first user's password.",
      load: async () => (await import("./solo/up.ts")).up,
    },
    {
      name: "down",
      summary: "stop everything that solo up started, in order; nothing is lost",
      example: "solo down",
      load: async () => (await import("./solo/down.ts")).down,
    },
  ],
};
