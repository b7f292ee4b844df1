import type { Call } from "./call.ts";
import { componentName, components } from "./cluster.ts";
import { session } from "./session.ts";
import { componentTable } from "./status.ts";

/** `tutti process list`: kato's processes are our components. */
export async function processList(call: Call): Promise<void> {
  const { api } = await session(call);
  const found = await components(api);
  call.io.result(
    { ok: true, processes: found.map((each) => ({ name: componentName(each.type), ...each })) },
    componentTable(found, call.io.paint),
  );
}
