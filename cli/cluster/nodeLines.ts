import type { Effect } from "../../infra/effects.ts";
import type { NodeOutcome } from "../../infra/outcome.ts";

const verbs: Readonly<Record<Effect["kind"], string>> = {
  refuse: "EC2 will refuse",
  delete: "goes away",
  replace: "is replaced by a new machine, its disk is lost",
  restart: "stops and starts again",
  change: "is changed while it runs",
  create: "is new",
};

/** What becomes of the nodes, the worst first, with the roles that feel it. */
export function effectLines(effects: readonly Effect[]): string[] {
  return effects.flatMap(({ node, kind, roles, because }) => {
    const hurt = ["delete", "replace", "restart"].includes(kind);
    const without = hurt ? `; meanwhile without ${roles.join(", ")} here` : ` (${roles.join(", ")})`;
    return [`  ${node} ${verbs[kind]}${without}`, ...(kind === "create" ? [] : because.map((why) => `      ${why}`))];
  });
}

/** The nodes that stand: name, roles, machine and addresses, in columns. */
export function nodeLines(nodes: readonly NodeOutcome[]): string[] {
  const rows = nodes.map(({ id, roles, type, zone, instance, privateAddress, publicAddress }) => [
    id,
    `${type} ${zone}`,
    instance,
    privateAddress,
    publicAddress,
    roles.join(","),
  ]);
  const widths = rows.reduce<number[]>((all, row) => row.map((cell, i) => Math.max(all[i] ?? 0, cell.length)), []);
  return rows.map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i] ?? 0)).join("  ")}`.trimEnd());
}

/** The stack's output `nodes`, when it has one. */
export function nodesIn(outputs: Readonly<Record<string, unknown>> | undefined): NodeOutcome[] {
  const nodes = outputs?.["nodes"];
  return Array.isArray(nodes) ? (nodes as NodeOutcome[]) : [];
}
