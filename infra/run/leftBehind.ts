import type { PlannedNode } from "../../roles/plan.ts";
import { type Found, isAlive } from "../inventoryFound.ts";
import type { StackState } from "./state.ts";

/**
 * Node → machine that an engine which was cut off has made for it, and of which the state does not know. EC2 would know
 * the same request again by a client token; the provider's own is another each time, so the tags have to tell. A machine
 * that is not as the node should be is none: it would not be taken in. `found` is of this cluster and stack.
 */
export function leftBehind(
  { machines, begun }: StackState,
  found: readonly Found[],
  wanted: readonly PlannedNode[],
): Record<string, string> {
  const known = new Set(machines.map(({ instance }) => instance));
  const open = wanted.filter(({ id }) => begun.has(id));
  return Object.fromEntries(
    open.flatMap((node) => {
      const mine = found.filter((one) => isAlive(one) && one.node === node.id && !known.has(one.id) && fits(one, node));
      const [newest] = mine.sort((one, other) => (other.created ?? 0) - (one.created ?? 0));
      return newest ? [[node.id, newest.id]] : [];
    }),
  );
}

function fits({ machine }: Found, node: PlannedNode): boolean {
  if (!machine || !node.machine) return false;
  const { type, spot } = node.machine;
  const place = node.address === undefined || node.address === machine.privateAddress;
  return machine.type === type && machine.spot === spot && machine.zone === node.zone && place;
}
