import type { Call } from "./call.ts";
import { nodes } from "./cluster.ts";
import { session } from "./session.ts";
import { ago, table } from "./show.ts";

/** `tutti node list`. */
export async function nodeList(call: Call): Promise<void> {
  if (call.text("from") === "ec2") return (await import("./ground/nodes.ts")).nodesFromEc2(call);
  const { api } = await session(call);
  const found = await nodes(api);
  call.io.result(
    { ok: true, nodes: found },
    table(
      ["NODE", "ADDRESS", "STATE", "ROLES", "SEEN", "VERSION"],
      found.map(({ id, address, state, roles, seen, version }) => [
        id,
        address,
        call.io.paint(state === "UP" ? "green" : "red", state.toLowerCase()),
        roles.join(", "),
        ago(seen, Date.now()),
        version,
      ]),
      "no node has been heard of yet",
    ),
  );
}
