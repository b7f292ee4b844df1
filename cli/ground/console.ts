import { consoleOf } from "../../infra/inventory.ts";
import { type Found, stackOf } from "../../infra/inventoryFound.ts";
import { near } from "../../roles/near.ts";
import type { Call } from "../call.ts";
import { Fault } from "../fault.ts";
import { plain } from "../show.ts";
import { withAccount } from "./account.ts";
import { machinesIn } from "./nodes.ts";

/** `tutti node console NODE`: what the machine printed when it booted, its first-boot journal included. */
export async function nodeConsole(call: Call): Promise<void> {
  const { found, text } = await withAccount(call, async (account, regions) => {
    const machines = await machinesIn(account, regions, call.text("cluster"));
    const one = pick(machines, call.arg(0));
    return { found: one, text: await consoleOf(account.at(one.region), one.id) };
  });
  const { node, id: instance, cluster, stack } = found;
  call.io.result({ ok: true, node, cluster, stack, instance, console: text }, plain(text).trimEnd());
  if (!text) call.io.note(`note: ${node} (${instance}) has printed nothing yet; EC2 needs a minute or two to show it`);
}

/** By the node's name or the instance's id; of two machines of one name the newer. Throws a Fault. */
export function pick(machines: readonly Found[], wanted: string): Found {
  const matching = machines
    .filter(({ node, id }) => node === wanted || id === wanted)
    .sort((one, other) => (other.created ?? 0) - (one.created ?? 0));
  const [first] = matching;
  const stacks = [...new Set(matching.map(stackOf))];
  if (stacks.length > 1)
    throw new Fault(`there is a ${wanted} in ${stacks.join(", ")}`, {
      code: "ambiguous",
      hint: `name the cluster with --cluster, or the machine: ${matching.map(({ id }) => id).join(", ")}`,
    });
  if (first) return first;
  const names = [...new Set(machines.map(({ node }) => node))];
  const meant = near(wanted, names);
  throw new Fault(`no machine is called ${wanted}`, {
    code: "no_such_node",
    hint: meant ? `did you mean ${meant}?` : "tutti node list --from ec2 shows them; is it another --region?",
  });
}
