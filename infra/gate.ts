import { CustomResource, type CustomResourceOptions, type Input } from "@pulumi/pulumi";
import { gateType } from "./gateType.ts";

/** Where a program that is run to replace machines has to wait, and for which of them. */
export interface Gates {
  /** Path of a socket: an answer opens the gate. */
  readonly socket: string;
  /** Names of machines: `trio-dev-run-0`. */
  readonly names: readonly string[];
}

/** What the program is told in its environment; undefined in every other run. */
export function gatesIn(env: NodeJS.ProcessEnv): Gates | undefined {
  const text = env["TUTTI_GATES"];
  return text ? (JSON.parse(text) as Gates) : undefined;
}

/** Text, as in seed.ts, for the engine's provider for dynamic resources. */
const provider = `
const { request } = require("node:http");
const ring = ({ socket, what, name, instance }) => new Promise((resolve, reject) => {
  const call = request({ socketPath: socket, method: "POST", path: "/" }, (answer) => {
    let text = "";
    answer.setEncoding("utf8").on("data", (chunk) => (text += chunk));
    answer.once("end", () => (answer.statusCode === 200 ? resolve() : reject(new Error(text))));
    answer.once("error", reject);
  });
  call.once("error", reject);
  call.end(JSON.stringify({ what, name, instance }));
});
exports.handler = () => ({
  async diff() {
    return { changes: true };
  },
  async create(inputs) {
    await ring(inputs);
    return { id: inputs.name, outs: inputs };
  },
  async update(_id, _olds, news) {
    await ring(news);
    return { outs: news };
  },
});
`;

/** What is waited for: that the new machine does its work, that the old one has none left. */
export type Wait = "ready" | "drain";

export interface GateArgs {
  readonly socket: string;
  /** Id of the new machine. */
  readonly instance: Input<string>;
}

/**
 * Holds the engine on between the creation of a machine and the end of the one that it replaces, which is when all else
 * is done. There only while somebody replaces machines one after the other. A hook of the engine would be the word for
 * it, but what is deleted with one can't be destroyed without its program.
 */
export class Gate extends CustomResource {
  constructor(what: Wait, name: string, { socket, instance }: GateArgs, options: CustomResourceOptions) {
    super(`${gateType}${what}`, name, { __provider: provider, socket, what, name, instance }, options);
  }
}
