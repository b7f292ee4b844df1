import type { ComponentResourceOptions } from "@pulumi/pulumi";

/**
 * Type tokens are part of every resource's identity: a renamed token is a destroyed cluster. They are frozen by a test.
 * Who has to rename one all the same adds its old name to `former`, and stacks that know the old name go on.
 */
export const tokens = {
  cluster: { type: "tutti:infra:Cluster", former: [] },
  network: { type: "tutti:infra:Network", former: [] },
  identity: { type: "tutti:infra:Identity", former: [] },
  depot: { type: "tutti:infra:Depot", former: [] },
  group: { type: "tutti:infra:Group", former: [] },
  node: { type: "tutti:infra:Node", former: [] },
} as const satisfies Record<string, Token>;

export interface Token {
  readonly type: string;
  readonly former: readonly string[];
}

/** The person's options, and the aliases that let a stack of an older version go on. */
export function withFormer({ former }: Token, options: ComponentResourceOptions = {}): ComponentResourceOptions {
  return { ...options, aliases: [...(options.aliases ?? []), ...former.map((type) => ({ type }))] };
}
