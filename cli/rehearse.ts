import type { Command } from "./command.ts";

/** The rows of `tutti rehearse`. */
export const rehearseCommand: Command = {
  name: "rehearse",
  group: "This machine",
  arguments: "[spec]",
  summary: "a cluster.yaml from `pulumi up` to the first request, on machines that boot on this computer",
  example: "rehearse examples/trio/cluster.yaml --keep",
  options: [
    { flags: "--keep", summary: "leave it standing; tutti rehearse down removes it" },
    { flags: "--app <path>", summary: "the app that is pushed as hello (default: examples/apps/hello)" },
    { flags: "--bundle <file>", summary: "agent for the nodes (default: made of the sources as they are)" },
    { flags: "--email <address>", summary: "the first user (default: rehearsal@example.com)" },
  ],
  notes:
    "Needs root, as it makes networks, mounts and loop devices; all of them in namespaces of their own, which end with it.\n" +
    "The first time it builds an image of machines. Without spec: examples/trio/cluster.yaml.",
  load: async () => (await import("./rehearse/rehearse.ts")).rehearse,
  commands: [
    {
      name: "down",
      summary: "end the rehearsals that stand, and say what was removed",
      example: "rehearse down",
      load: async () => (await import("./rehearse/down.ts")).rehearseDown,
    },
  ],
};
