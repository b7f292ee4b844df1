import type { Target } from "../../bootstrap/target.ts";
import type { Call } from "../call.ts";
import { wrongUsage } from "../fault.ts";
import { hostTarget } from "./hosts.ts";

/** The machines to contact, and who tells what they have printed. */
export interface Party {
  readonly nodes: readonly Target[];
  readonly console?: (target: Target) => Promise<string>;
}

/** Finds the nodes: those that were named, those of a stack, or those that AWS's tags tell of. */
export async function withNodes<T>(call: Call, act: (party: Party) => Promise<T>): Promise<T> {
  const hosts = call.list("host");
  if (hosts.length > 0 && (call.args.length > 0 || call.text("stack")))
    throw wrongUsage("--host names machines, a spec or --stack names a cluster: which is it?", "leave one of them out");
  if (hosts.length > 0) return await act({ nodes: distinct(hosts.map((one) => hostTarget(one, call.text("user")))) });
  // AWS's own code is large: who names the machines has no use for it.
  const { withNodesOnEc2 } = await import("./findEc2.ts");
  return await withNodesOnEc2(call, act);
}

function distinct(targets: readonly Target[]): Target[] {
  return [...new Map(targets.map((target) => [target.name, target])).values()];
}
