import { near } from "../../roles/near.ts";
import { Fault } from "../fault.ts";
import { ago } from "../show.ts";
import type { ClusterNodes } from "./membership.ts";

/** The nodes that were named, or all there are. Throws a Fault for a name that nobody has. */
export function chosen(typed: readonly string[], known: ClusterNodes): string[] {
  if (typed.length === 0) return everyName(known);
  return [...new Set(typed)].map((name) => existing(name, known));
}

/** The name, if a node has it. Throws a Fault. */
export function existing(name: string, known: ClusterNodes): string {
  const all = everyName(known);
  if (all.includes(name)) return name;
  const meant = near(name, all);
  const removed = known.members.find(({ id }) => id === name)?.removed;
  if (removed !== undefined)
    throw new Fault(`${name} was removed ${ago(removed, Date.now())}`, {
      code: "node_removed",
      hint: "it comes back when it is invited again: tutti node attach, or tutti up",
    });
  throw new Fault(`there is no node ${name}`, {
    code: "no_such_node",
    hint: meant ? `did you mean ${meant}?` : `there are: ${all.join(", ") || "none yet"}`,
  });
}

/** Everybody who belongs to the cluster, whether they are heard or not. */
export function everyName({ nodes, members }: ClusterNodes): string[] {
  const gone = new Set(members.filter(({ removed }) => removed !== undefined).map(({ id }) => id));
  const names = [...nodes, ...members].map(({ id }) => id).filter((id) => !gone.has(id));
  return [...new Set(names)].sort((one, other) => one.localeCompare(other, "en", { numeric: true }));
}
