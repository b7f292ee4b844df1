import type { AwsSpec } from "./aws.ts";
import { architectureOf, defaultInstanceType, instanceTypeOf, memoryFor, typesWith } from "./instanceTypes.ts";
import type { Problem } from "./problem.ts";
import type { ClusterSpec, NodeGroup } from "./spec.ts";

/** What is wrong with the part of a spec that concerns EC2, seen together with its nodes. */
export function problemsOfGround(spec: ClusterSpec): Problem[] {
  const { aws } = spec;
  if (!aws) return spec.nodes.flatMap(withoutGround);
  return [
    ...problemsOfNetwork(aws),
    ...problemsOfCores(spec, aws),
    ...problemsOfPorts(spec, aws),
    ...spec.nodes.flatMap((group, i) => problemsOfGroup(aws, group, `nodes[${i}]`)),
  ];
}

function withoutGround(group: NodeGroup, i: number): Problem[] {
  const only = (["instanceType", "zones", "volume", "spot"] as const).filter((key) => group[key] !== undefined);
  return only.map((key) => ({
    path: `nodes[${i}].${key}`,
    message: "is for a cluster on EC2: add the section aws, or leave it out",
  }));
}

function problemsOfNetwork({ network, zones }: AwsSpec): Problem[] {
  const { cidr, vpc, subnets } = network;
  const problems: Problem[] = [];
  const say = (path: string, message: string) => problems.push({ path: `aws.${path}`, message });
  if (cidr && vpc) say("network.cidr", "is for a network that is made: leave it out, or leave out vpc");
  if (Boolean(vpc) !== Boolean(subnets)) say("network", "a network that exists takes both: vpc and subnets");
  const bits = Number((cidr ?? "/16").split("/")[1]);
  if (bits < 16 || bits > 24) say("network.cidr", `/${bits} does not do: write a network from /16 to /24`);
  for (const zone of zones) {
    if (subnets && !subnets[zone]) say("zones", `zone ${zone} has no subnet: add one to aws.network.subnets`);
    if (!subnets && zone > "p") say("zones", `zone ${zone} does not exist: write letters from a to p`);
  }
  if (new Set(zones).size !== zones.length) say("zones", "a zone is there twice: once is enough");
  return problems;
}

/** Nobody but the person knows which addresses of a subnet that exists are free. */
function problemsOfCores({ nodes }: ClusterSpec, { network }: AwsSpec): Problem[] {
  const ids = nodes.flatMap(({ name, roles, count }) =>
    roles.includes("core") ? Array.from({ length: count }, (_, i) => `${name}-${i}`) : [],
  );
  const path = "aws.network.cores";
  const { vpc, cores } = network;
  if (!vpc) return cores ? [{ path, message: "is for a network that exists: in one that is made leave it out" }] : [];
  const lacking = cores || ids.length > 1 ? ids.filter((id) => !cores?.[id]) : [];
  const strange = Object.keys(cores ?? {}).filter((id) => !ids.includes(id));
  const taken = Object.entries(cores ?? {}).filter(([id, address]) =>
    Object.entries(cores ?? {}).some(([other, same]) => other < id && same === address),
  );
  return [
    ...lacking.map((id) => ({ path, message: `${id} is missing: write a free address of its zone's subnet` })),
    ...strange.map((id) => ({ path: `${path}.${id}`, message: `is no core: the cores are ${ids.join(", ")}` })),
    ...taken.map(([id, address]) => ({ path: `${path}.${id}`, message: `${address} is there twice: choose another` })),
  ];
}

function problemsOfPorts({ ports }: ClusterSpec, { ssh }: AwsSpec): Problem[] {
  return (["router", "controller", "nats", "routes", "files"] as const).flatMap((name): Problem[] => {
    const path = `ports.${name}`;
    if (ports[name] === 0)
      return [{ path, message: "0 does not do on EC2, whose firewall wants a number: choose one" }];
    if (ports[name] === 22 && ssh) return [{ path, message: "22 is taken by ssh: choose another" }];
    return [];
  });
}

function problemsOfGroup(aws: AwsSpec, group: NodeGroup, at: string): Problem[] {
  const problems: Problem[] = [];
  if (group.zone !== "default")
    problems.push({ path: `${at}.zone`, message: `on EC2 write zones: [${aws.zones.join(", ")}], or leave it out` });
  for (const zone of (group.zones ?? []).filter((one) => !aws.zones.includes(one)))
    problems.push({ path: `${at}.zones`, message: `zone ${zone} is not one of the cluster's: add it to aws.zones` });
  if (group.spot && group.roles.includes("core"))
    problems.push({ path: `${at}.spot`, message: "a core keeps the cluster's memory: give it a group without spot" });
  return [...problems, ...problemsOfSize(aws, group, `${at}.instanceType`)];
}

function problemsOfSize(aws: AwsSpec, group: NodeGroup, path: string): Problem[] {
  const type = group.instanceType ?? defaultInstanceType(aws.architecture);
  const need = memoryFor(group.roles, group.memory);
  const instead = typesWith(need, aws.architecture).join(" or ");
  if (architectureOf(type) !== aws.architecture)
    return [{ path, message: `${type} is not ${aws.architecture}: write ${instead}, or change aws.architecture` }];
  const memory = instanceTypeOf(type)?.memory;
  if (memory === undefined || memory >= need) return [];
  const message = `${type} has ${memory} MiB, ${group.roles.join(", ")} want ${need}: write ${instead}`;
  return [{ path, message }];
}
