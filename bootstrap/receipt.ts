import type { BootstrapResult } from "./options.ts";

/** What is kept of a first contact: nothing in it opens anything. */
export interface Receipt {
  readonly cluster: string;
  readonly api: string;
  readonly email: string;
  /** ISO 8601. The first time it was found to be ours, and the last. */
  readonly since: string;
  readonly at: string;
  readonly controller: string;
  readonly nodes: readonly {
    readonly name: string;
    readonly id: string;
    readonly machine: string;
    readonly instance?: string | undefined;
    readonly ssh: string;
    readonly roles: readonly string[];
    readonly hostKey: string;
    /** True once its user's old password was replaced. */
    readonly rotated: boolean;
  }[];
}

export function receiptOf(result: BootstrapResult, before: Receipt | undefined, now: number): Receipt {
  const { cluster, api, email, controller } = result;
  const at = new Date(now).toISOString();
  const done = rotatedIn(before);
  const nodes = result.nodes.map(({ steps, trips: _, seconds: __, ...node }) => ({
    ...node,
    rotated: steps.includes("password rotated") || done.has(node.machine),
  }));
  return { cluster, api, email, since: before?.since ?? at, at, controller, nodes };
}

/** Machines whose passwords need not be replaced again. One that was made anew has the old password, whatever its name. */
export function rotatedIn(receipt: Receipt | undefined): ReadonlySet<string> {
  return new Set(receipt?.nodes.filter(({ rotated }) => rotated).map(({ machine }) => machine));
}
