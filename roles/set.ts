import { problemsOfGround } from "./ground.ts";
import type { Problem } from "./problem.ts";
import { type PortName, type RoleName, roles } from "./role.ts";
import type { ClusterSpec, NodeGroup } from "./spec.ts";

/** Checks what only shows when the parts of a spec are seen together. */
export function problemsOfSet(spec: ClusterSpec): Problem[] {
  return [
    ...rolesOfSet(spec),
    ...spec.nodes.flatMap((group, i) => problemsOfGroup(spec, group, i)),
    ...problemsOfRanges(spec),
    ...portClashes(spec),
    ...problemsOfGround(spec),
  ];
}

const countOf = (spec: Pick<ClusterSpec, "nodes">, role: RoleName): number =>
  spec.nodes.filter((group) => group.roles.includes(role)).reduce((sum, group) => sum + group.count, 0);

/** How many nodes are cores. */
export const coresOf = (spec: Pick<ClusterSpec, "nodes">): number => countOf(spec, "core");

function rolesOfSet(spec: ClusterSpec): Problem[] {
  const cores = coresOf(spec);
  const few: Problem[] =
    cores % 2 === 0 || cores > 5
      ? [{ path: "nodes", message: `${cores} nodes have the role core: it takes 1, 3 or 5` }]
      : [];
  const missing = (["controller", "router"] as const).filter((role) => countOf(spec, role) === 0);
  return [
    ...few,
    ...missing.map((role) => ({ path: "nodes", message: `no node has the role ${role}: give it to one` })),
  ];
}

function problemsOfGroup(spec: ClusterSpec, group: NodeGroup, i: number): Problem[] {
  const problems: Problem[] = [];
  if (spec.nodes.findIndex(({ name }) => name === group.name) !== i)
    problems.push({ path: `nodes[${i}].name`, message: `${group.name} is used twice: names of groups are unique` });
  for (const [at, role] of group.roles.entries()) {
    const path = `nodes[${i}].roles`;
    if (!roles[role].available) problems.push({ path, message: `${role} cannot be run yet: leave it out` });
    if (group.roles.indexOf(role) !== at) problems.push({ path, message: `${role} is there twice: once is enough` });
  }
  return problems;
}

type PortRange = Extract<PortName, "instances" | "status">;
type SinglePort = Exclude<PortName, PortRange>;
const ranges: readonly PortRange[] = ["instances", "status"];

/** First and last port of a range. */
export function portRange({ ports }: Pick<ClusterSpec, "ports">, name: PortRange): { first: number; last: number } {
  const [first = 0, last = 0] = ports[name].split("-").map(Number);
  return { first, last };
}

function problemsOfRanges(spec: ClusterSpec): Problem[] {
  const bad = ranges.flatMap((name): Problem[] => {
    const { first, last } = portRange(spec, name);
    if (first >= 1024 && first <= last && last <= 65535) return [];
    const message = `${spec.ports[name]} is no range of ports: write two numbers from 1024 to 65535, the lower first`;
    return [{ path: `ports.${name}`, message }];
  });
  const [apps, status] = [portRange(spec, "instances"), portRange(spec, "status")];
  if (bad.length > 0 || apps.first > status.last || status.first > apps.last) return bad;
  return [{ path: "ports.status", message: `${spec.ports.status} meets ports.instances: choose another range` }];
}

/** Two ports clash when one node has to open both. */
function portClashes(spec: ClusterSpec): Problem[] {
  const names: SinglePort[] = ["router", "controller", "nats", "routes", "files"];
  const within = (value: number, name: PortRange) => {
    const { first, last } = portRange(spec, name);
    return value >= first && value <= last;
  };
  return names.flatMap((name, i): Problem[] => {
    const value = spec.ports[name];
    if (value === 0) return [];
    const other = names.slice(0, i).find((one) => spec.ports[one] === value && meet(spec, one, name));
    const range = ranges.find((one) => within(value, one) && meet(spec, name, one));
    const taken = other ?? range;
    return taken ? [{ path: `ports.${name}`, message: `${value} is taken by ports.${taken}: choose another` }] : [];
  });
}

function meet(spec: ClusterSpec, one: PortName, other: PortName): boolean {
  return spec.nodes.some((group) => {
    const open = group.roles.flatMap((role) => roles[role].ports.map(({ name }) => name));
    return open.includes(one) && open.includes(other);
  });
}
