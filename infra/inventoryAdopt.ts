import { type Found, isAlive } from "./inventoryFound.ts";

/** What a stack whose state is lost has to know in order to go on with what is there. */
export interface Adoption {
  /** Value of the Cluster's argument `adopt`: node → instance. */
  readonly adopt: Readonly<Record<string, string>>;
  /** Value for `aws.network` of cluster.yaml: the network in which those instances stand. */
  readonly network: FoundNetwork | undefined;
  /** Instances that are not taken because their node has a newer one. */
  readonly left: readonly string[];
}

export interface FoundNetwork {
  readonly vpc: string;
  /** Letter of a zone → subnet. */
  readonly subnets: Readonly<Record<string, string>>;
  /** Core → its private address: all others know it by that. */
  readonly cores: Readonly<Record<string, string>>;
}

/** The machines of one stack, newest first: when a name has two, state went with the newer. */
export function adoption(found: readonly Found[]): Adoption {
  const machines = found
    .filter((one) => one.kind === "instance" && isAlive(one))
    .sort((one, other) => (other.created ?? 0) - (one.created ?? 0));
  const taken = new Map<string, string>();
  for (const { node, id } of machines) if (!taken.has(node)) taken.set(node, id);
  const ids = new Set(taken.values());
  const names = [...taken].sort(([one], [other]) => one.localeCompare(other, "en", { numeric: true }));
  return {
    adopt: Object.fromEntries(names),
    network: networkOf(found, machines),
    left: machines.map(({ id }) => id).filter((id) => !ids.has(id)),
  };
}

function networkOf(found: readonly Found[], machines: readonly Found[]): Adoption["network"] {
  const vpc = machines[0]?.machine?.network;
  if (!vpc) return undefined;
  const tagged = found.filter(({ kind }) => kind === "subnet").map(({ id, zone = "" }) => [zone, id] as const);
  const used = machines.flatMap(({ machine }) => (machine ? [[machine.zone, machine.subnet] as const] : []));
  const zones = [...new Map([...tagged, ...used])].sort(([one], [other]) => one.localeCompare(other));
  // The newest of a node comes first, and what is said last counts.
  const cores = machines.toReversed().filter(({ machine }) => machine?.roles.includes("core"));
  return {
    vpc,
    subnets: Object.fromEntries(zones.map(([zone, id]) => [zone.slice(-1), id])),
    cores: Object.fromEntries(cores.map(({ node, machine }) => [node, machine?.privateAddress ?? ""])),
  };
}
