import { all, type Output } from "@pulumi/pulumi";
import type { PlannedNode } from "../roles/plan.ts";
import type { Node } from "./node.ts";
import type { NodeOutcome } from "./outcome.ts";

/**
 * What is there, once it is known. Lists of outputs, and not outputs in objects in a list: the SDK looks through each
 * object with promises of its own.
 */
export function outcomes(nodes: readonly PlannedNode[], declared: ReadonlyMap<string, Node>): Output<NodeOutcome[]> {
  const there = nodes.flatMap((node) => {
    const made = declared.get(node.id);
    return made ? [{ node, made }] : [];
  });
  const each = (of: (made: Node) => Output<string>) => all(there.map(({ made }) => of(made)));
  const images = each(({ image }) => image);
  const instances = each(({ instance }) => instance);
  const inside = each(({ privateAddress }) => privateAddress);
  const outside = each(({ publicAddress }) => publicAddress);
  return all([images, instances, inside, outside]).apply(([amis, ids, privates, publics]) =>
    there.map(({ node }, i) => ({
      ...planned(node),
      ...{
        image: amis[i] ?? "",
        instance: ids[i] ?? "",
        privateAddress: privates[i] ?? "",
        publicAddress: publics[i] ?? "",
      },
    })),
  );
}

function planned({ id, roles, zone, machine }: PlannedNode) {
  const { type = "", spot = false, volume = 0 } = machine ?? {};
  return { id, roles, zone, type, spot, volume };
}
