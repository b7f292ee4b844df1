import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { Fault } from "../run/fault.ts";

/**
 * Several servers that begin together know nothing of what one of them kept alone: whoever is elected first decides
 * whether it stays or is thrown away. Rejects with a Fault `store_of_one_core` when there is something to lose.
 */
export async function refuseToGrow(store: string): Promise<void> {
  const inside = join(store, "jetstream");
  const kept = await readdir(join(inside, "TUTTI", "streams")).catch(() => []);
  const shared = await stat(join(inside, "$SYS", "_js_", "_meta_")).catch(() => undefined);
  if (kept.length === 0 || shared) return;
  throw new Fault(`${store} is the store of a single core, and this cluster has several`, {
    code: "store_of_one_core",
    hint: "a cluster cannot grow from one core to several: put one core into node.json again, or make a new cluster and push the apps to it",
  });
}
