import type { Target } from "../../bootstrap/target.ts";
import { type Found, isAlive } from "../../infra/inventoryFound.ts";
import { usualUser } from "../bootstrap/hosts.ts";
import type { Call } from "../call.ts";

// What AWS's tags tell of a cluster's machines. Loaded only when it is asked: the SDK takes its time.

const parts = () =>
  Promise.all([import("../ground/account.ts"), import("../ground/nodes.ts"), import("../../infra/inventory.ts")]);

/** Machines of clusters, that there are. Rejects with an AwsFault or a Fault. */
export async function machinesOnEc2(call: Call, cluster = call.text("cluster")): Promise<Found[]> {
  const [{ withAccount }, { machinesIn }] = await parts();
  const all = await withAccount(call, (account, regions) => machinesIn(account, regions, cluster));
  return all.filter(isAlive);
}

export function targetOn(call: Call, node: string, { id, machine }: Found): Target {
  const host = machine?.publicAddress || machine?.privateAddress || "";
  return { name: node, instance: id, host, port: 22, user: call.text("user") ?? usualUser };
}

/** What a machine has printed: its host keys are among it. */
export async function printedBy(call: Call, { instance = "" }: Pick<Target, "instance">): Promise<string> {
  const [{ withAccount }, , { consoleOf }] = await parts();
  const one = (await machinesOnEc2(call)).find(({ id }) => id === instance);
  if (!one) throw new Error(`${instance} is not to be found on EC2`);
  return await withAccount(call, (account) => consoleOf(account.at(one.region), instance));
}
