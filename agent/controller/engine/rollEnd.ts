import { randomUUID } from "node:crypto";
import type { Deployment, Process } from "../records.ts";
import type { Tables } from "../tables.ts";
import type { RollOptions } from "./roll.ts";

/** The web processes of an app while a deployment rolls: the new one and the older ones. */
export function webProcesses(tables: Tables, { app, process }: Pick<Deployment, "app" | "process">) {
  const web = tables.processes.all().filter((one) => one.app === app && one.type === "web");
  return { fresh: web.find((one) => one.guid === process), old: web.filter((one) => one.guid !== process) };
}

/**
 * The new process takes the place of the old ones. The order lets another controller repeat it at any point: the app
 * gets its droplet before anything of the old one goes, and the deployment ends last.
 */
export async function finished(options: RollOptions, deployment: Deployment): Promise<void> {
  const { tables, convergence, voice } = options;
  const { fresh, old } = webProcesses(tables, deployment);
  const app = await tables.apps.update(deployment.app, (one) =>
    one.droplet === deployment.droplet ? undefined : { ...one, droplet: deployment.droplet },
  );
  if (fresh) await tables.processes.update(fresh.guid, (one) => ownedByApp(one, deployment));
  for (const one of old) await remove(options, one);
  // The other processes of the app have no second copy to roll with: they restart with the new droplet.
  for (const one of tables.processes.all().filter((other) => other.app === app.guid && other.type !== "web")) {
    await tables.processes.update(one.guid, (now) => ({ ...now, version: randomUUID() }));
    await convergence.converge(one.guid);
  }
  await end(tables, deployment, "DEPLOYED");
  voice.line(app.guid, "deployment: done");
  voice.system("DEPLOY_APP", app.name, "SUCCEEDED");
  if (fresh) await convergence.converge(fresh.guid);
}

/** The new process goes, the app keeps what it ran before. */
export async function cancelled(options: RollOptions, deployment: Deployment): Promise<void> {
  const { tables, voice } = options;
  const { fresh, old } = webProcesses(tables, deployment);
  const { previousDroplet } = deployment;
  const app = await tables.apps.update(deployment.app, (one) =>
    previousDroplet && one.droplet === deployment.droplet ? { ...one, droplet: previousDroplet } : undefined,
  );
  if (fresh) await remove(options, fresh);
  for (const one of old) await tables.processes.update(one.guid, (now) => (now.droplet ? without(now) : undefined));
  await end(tables, deployment, "CANCELED");
  voice.line(app.guid, "deployment: canceled, the app runs what it ran before");
  voice.system("DEPLOY_APP", app.name, "FAILED");
}

/** A newer deployment of the app takes over; it treats this one's process as an old one. */
export async function superseded({ tables, voice }: RollOptions, deployment: Deployment): Promise<void> {
  await end(tables, deployment, "SUPERSEDED");
  voice.line(deployment.app, "deployment: superseded by a newer one");
}

async function end(tables: Tables, { guid }: Deployment, reason: Deployment["reason"]): Promise<void> {
  await tables.deployments.update(guid, (one) => ({ ...one, status: "FINALIZED", reason, roller: undefined }));
}

async function remove({ tables, convergence }: RollOptions, { guid }: Process): Promise<void> {
  await tables.processes.delete(guid);
  convergence.stop(guid);
}

/** From now on it runs the app's droplet, with as many instances as the app had. */
function ownedByApp(process: Process, { instances }: Deployment): Process {
  return { ...without(process), deployment: undefined, instances: instances ?? process.instances };
}

const without = (process: Process): Process => ({ ...process, droplet: undefined });
