import { randomUUID } from "node:crypto";
import type { Deployment, Process } from "../records.ts";
import type { RollOptions } from "./roll.ts";
import { superseded, webProcesses } from "./rollEnd.ts";

/**
 * What must stand before the first step: the new process without instances, the old ones bound to what they run, and the
 * number to reach. Undefined when there is nothing to roll (any more).
 */
export async function begin(options: RollOptions, deployment: Deployment): Promise<Deployment | undefined> {
  const { tables } = options;
  const app = tables.apps.get(deployment.app);
  if (!app) {
    await tables.deployments.delete(deployment.guid);
    return undefined;
  }
  if (hasNewer(options, deployment)) {
    await superseded(options, deployment);
    return undefined;
  }
  const { fresh, old } = webProcesses(tables, deployment);
  if (fresh && deployment.instances !== undefined) return deployment;
  const instances = deployment.instances ?? Math.max(0, ...old.map((one) => wanted(options, one)));
  const previousDroplet = deployment.previousDroplet ?? (app.droplet === deployment.droplet ? undefined : app.droplet);
  // Until the end the old ones run what they ran, even if the app's droplet is the new one already.
  for (const one of old)
    await tables.processes.update(one.guid, (now) => (now.droplet ? undefined : { ...now, droplet: previousDroplet }));
  const like = old.toSorted((a, b) => (a.created_at < b.created_at ? 1 : -1))[0];
  const ours = { instances: 0, deployment: deployment.guid, droplet: deployment.droplet };
  if (fresh) await tables.processes.update(fresh.guid, (one) => ({ ...one, ...ours }));
  else if (like) await tables.processes.insert({ ...like, ...identity(deployment.process), ...ours });
  return await tables.deployments.update(deployment.guid, (one) => ({ ...one, instances, previousDroplet }));
}

function hasNewer({ tables }: RollOptions, { app, created_at, guid }: Deployment): boolean {
  const later = (one: Deployment) => one.created_at > created_at || (one.created_at === created_at && one.guid > guid);
  return tables.deployments.all().some((one) => one.app === app && one.status === "ACTIVE" && later(one));
}

/** A process of an earlier roll that never ended has been scaled in the middle of it: what that roll was to reach counts. */
function wanted({ tables }: RollOptions, { deployment, instances }: Process): number {
  return (deployment ? tables.deployments.get(deployment)?.instances : undefined) ?? instances;
}

function identity(guid: string) {
  const at = new Date().toISOString();
  return { guid, created_at: at, updated_at: at, version: randomUUID() };
}
