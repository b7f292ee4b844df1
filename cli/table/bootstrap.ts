import type { Command } from "../command.ts";

/** First contact with a cluster whose machines are there. */
export const bootstrap: Command = {
  name: "bootstrap",
  group: "Cluster",
  arguments: "[spec]",
  summary: "first contact with a new cluster, over ssh: wait until it is ready, make the first user, log in",
  example: "bootstrap examples/trio/cluster.yaml --email me@example.com",
  options: [
    {
      flags: "--stack <name>",
      summary: "which of the clusters of this spec (default: dev); without a spec: the one AWS's tags tell of",
    },
    {
      flags: "--host <user@host:port>",
      summary: "a machine that is not on EC2; may be given several times",
      many: true,
    },
    { flags: "--email <address>", summary: "the first user (or STACKATO_EMAIL)" },
    {
      flags: "--license <file>",
      summary: "the license step's form: lines email=…, password=…, unix_password=…, or JSON",
    },
    { flags: "--known-hosts <file>", summary: "host keys in OpenSSH's format, where no console tells them" },
    { flags: "--identity <file>", summary: "ssh private key (default: your agent's, then ~/.ssh/id_*)" },
    { flags: "--user <name>", summary: "user to log in as (default: admin; with --host yourself)" },
    { flags: "--timeout <seconds>", summary: "how long to wait for the nodes, in all (default: 600)" },
    { flags: "--plan", summary: "only look, and say what would be done; exit 2 when that is something" },
    { flags: "--region <name>", summary: "AWS region (default: the spec's, EC2_REGION, or that of your AWS settings)" },
    { flags: "--offline", summary: "machines on the EC2 API of this machine" },
  ],
  notes:
    "The password comes from STACKATO_PASSWORD, TUTTI_PASSWORD or --license, is asked for, or is made up and shown once.\n" +
    "Safe to run again. Exit codes: 0 done, or yours already; 3 claimed by somebody else; 4 not ready in time; 5 ssh failed;\n" +
    "6 a host key that is unknown, revoked, or not the one that was expected.",
  load: async () => (await import("../bootstrap.ts")).bootstrap,
};
