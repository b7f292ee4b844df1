import { type Inventory, inventory } from "../../infra/inventory.ts";
import { adoption, type FoundNetwork } from "../../infra/inventoryAdopt.ts";
import { type Found, stackOf } from "../../infra/inventoryFound.ts";
import type { Call } from "../call.ts";
import { Fault } from "../fault.ts";
import { withAccount } from "./account.ts";

/** `tutti adopt CLUSTER`: what a stack whose state is lost needs, so that `up` goes on with the machines there are. */
export async function adopt(call: Call): Promise<void> {
  const cluster = call.arg(0);
  const there = await withAccount(call, (account, regions) => inventory(account, { regions, cluster }));
  const found = ofOneStack(there, cluster, call.text("stack"));
  const { adopt: machines, network, left } = adoption(found);
  if (Object.keys(machines).length === 0)
    throw new Fault(`no machine of cluster ${cluster} is there to adopt`, {
      code: "nothing_to_adopt",
      hint: "is it another --region? tutti sweep --orphans shows what else may be left of it",
    });
  const config = `pulumi config set tutti:adopt '${JSON.stringify(machines)}'`;
  const lines = [
    `# ${stackOf(found[0] ?? { cluster, stack: "" })}: in the folder of your program (~/.tutti/clusters/${cluster} when it was made by tutti up), with the empty stack`,
    config,
    ...(network ? ["# and in cluster.yaml, so that the machines stay in the network they are in:", yaml(network)] : []),
    ...left.map((id) => `# ${id} is an older machine of a node: tutti sweep --orphans removes it`),
    "# then: tutti up (and afterwards: pulumi config rm tutti:adopt)",
  ];
  call.io.result({ ok: true, cluster, adopt: machines, network, left, config }, lines.join("\n"));
}

function ofOneStack({ found }: Inventory, cluster: string, stack: string | undefined): Found[] {
  const mine = stack === undefined ? found : found.filter((one) => one.stack === stack);
  const stacks = [...new Set(mine.filter(({ kind }) => kind === "instance").map((one) => one.stack))];
  if (stacks.length > 1)
    throw new Fault(`cluster ${cluster} stands more than once: stacks ${stacks.join(", ")}`, {
      code: "ambiguous",
      hint: `choose one: tutti adopt ${cluster} --stack ${stacks[0]}`,
    });
  return mine.filter((one) => one.stack === stacks[0]);
}

function yaml({ vpc, subnets, cores }: FoundNetwork): string {
  const each = (map: Readonly<Record<string, string>>) => Object.entries(map).map(([key, value]) => `${key}: ${value}`);
  return `#   network: { vpc: ${vpc}, subnets: { ${each(subnets).join(", ")} }, cores: { ${each(cores).join(", ")} } }`;
}
