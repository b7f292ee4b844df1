import type { Deployment, Process } from "../records.ts";
import { plan } from "./plan.ts";
import type { RollOptions } from "./roll.ts";
import { cancelled, finished, webProcesses } from "./rollEnd.ts";
import { type RollStep, shares } from "./rollStep.ts";

/** Takes one step of a deployment. Resolves to whether that changed what is wanted, so that the next may be due. */
export async function act(options: RollOptions, deployment: Deployment, step: RollStep): Promise<boolean> {
  const { tables, voice } = options;
  const { fresh, old } = webProcesses(tables, deployment);
  switch (step.do) {
    case "wait":
      await house(options, fresh);
      return false;
    case "grow":
      voice.line(deployment.app, `deployment: ${step.fresh} of ${deployment.instances} new instances`);
      return await scale(options, fresh?.guid, step.fresh);
    case "shrink": {
      const at = new Date().toISOString();
      await tables.deployments.update(deployment.guid, (one) => ({ ...one, last_successful_healthcheck: at }));
      let changed = false;
      for (const [guid, share] of shares(old, step.old)) changed = (await scale(options, guid, share)) || changed;
      return changed;
    }
    case "restore":
      return await scale(options, shares(old, 0).keys().next().value, deployment.instances ?? 0);
    case "cancel":
      voice.line(deployment.app, "deployment: the new instances do not come up, going back to the old ones");
      await tables.deployments.update(deployment.guid, (one) => ({ ...one, reason: "CANCELING" }));
      return true;
    case "finish":
      await finished(options, deployment);
      return false;
    case "discard":
      await cancelled(options, deployment);
      return false;
  }
}

async function scale({ tables, convergence }: RollOptions, guid: string | undefined, instances: number) {
  if (!guid || tables.processes.get(guid)?.instances === instances) return false;
  await tables.processes.update(guid, (one) => ({ ...one, instances }));
  await convergence.converge(guid);
  return true;
}

/** What found no room before may find it when old instances are gone. Crashed ones are the health manager's. */
async function house({ slots, finder, convergence }: RollOptions, fresh: Process | undefined): Promise<void> {
  if (!fresh) return;
  const lacksRoom = (index: number) => {
    const note = slots.get(fresh.guid, index);
    return note !== undefined && note.instance === undefined;
  };
  if (!Array.from({ length: fresh.instances }, (_, index) => index).some(lacksRoom)) return;
  const { start } = plan(fresh, await finder.alive(fresh.guid));
  await convergence.start(fresh, start.filter(lacksRoom));
}
