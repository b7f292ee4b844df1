import type { Deployment, Process } from "../records.ts";
import type { Convergence } from "./converge.ts";
import type { Finder } from "./find.ts";
import { inTurn } from "./inTurn.ts";
import type { EngineOptions } from "./options.ts";
import { begin } from "./rollBegin.ts";
import { rollClaims } from "./rollClaim.ts";
import { cancelled, finished, webProcesses } from "./rollEnd.ts";
import { type RollPicture, type RollStep, rollStep, shares } from "./rollStep.ts";
import type { Voice } from "./voice.ts";

export interface RollOptions extends EngineOptions {
  id: string;
  finder: Finder;
  voice: Voice;
  convergence: Convergence;
}

export interface Rolls {
  /** Takes the next step of one deployment, if this controller rolls it. */
  turn(guid: string): Promise<void>;
  /** The same for all that are ACTIVE. */
  turnAll(): Promise<void>;
}

/** What this controller has seen of a deployment, by its own clock (ms). */
interface Followed {
  mark: string;
  since: number;
  /** Instance → when it was first seen RUNNING. */
  running: Map<string, number>;
}

/** Rolls deployments step by step. Everything is in the records, so any controller can go on where another stopped. */
export function rolls(options: RollOptions): Rolls {
  const { tables, beat, id } = options;
  const claims = rollClaims({ tables, holder: id, beat });
  const followed = new Map<string, Followed>();
  const turns = inTurn();
  const step = async (guid: string) => {
    const claimed = await claims.claim(guid, Date.now());
    const deployment = claimed && (await begin(options, claimed));
    if (!deployment) return void followed.delete(guid);
    const mine = followed.get(guid) ?? { mark: "", since: Date.now(), running: new Map() };
    followed.set(guid, mine);
    const picture = await look(options, deployment, mine);
    // Steps count as progress, not instances that come up and go down again.
    const mark = [deployment.reason, picture.fresh, picture.old].join();
    if (mark !== mine.mark) Object.assign(mine, { mark, since: Date.now() });
    await act(options, deployment, rollStep({ ...picture, stuck: (Date.now() - mine.since) / beat }));
  };
  const turn = (guid: string) => turns(guid, () => step(guid));
  return {
    turn,
    async turnAll() {
      const active = tables.deployments.all().filter(({ status }) => status === "ACTIVE");
      await Promise.all(active.map(({ guid }) => turn(guid)));
    },
  };
}

async function look(
  options: RollOptions,
  deployment: Deployment,
  { running }: Followed,
): Promise<Omit<RollPicture, "stuck">> {
  const { tables, beat } = options;
  const { fresh, old } = webProcesses(tables, deployment);
  // Routers hear of an instance when it becomes RUNNING; a beat later traffic may rely on it.
  const isRouted = (instance: string) => {
    const first = running.get(instance) ?? Date.now();
    running.set(instance, first);
    return Date.now() - first >= beat;
  };
  const healthy = fresh ? await serving(options, fresh, isRouted) : 0;
  const others = await Promise.all(old.map((one) => serving(options, one, () => true)));
  return {
    deployment,
    started: tables.apps.get(deployment.app)?.state === "STARTED",
    target: deployment.instances ?? 0,
    fresh: fresh?.instances ?? 0,
    healthy,
    old: old.reduce((sum, one) => sum + one.instances, 0),
    oldHealthy: others.reduce((sum, one) => sum + one, 0),
  };
}

/** Wanted slots that serve. */
async function serving(
  { finder }: RollOptions,
  process: Process,
  good: (instance: string) => boolean,
): Promise<number> {
  if (process.instances === 0) return 0;
  const found = await finder.alive(process.guid, { version: process.version });
  const serve = found.filter((one) => one.state === "RUNNING" && one.index < process.instances && good(one.instance));
  return new Set(serve.map((one) => one.index)).size;
}

async function act(options: RollOptions, deployment: Deployment, step: RollStep): Promise<void> {
  const { tables, voice } = options;
  const { fresh, old } = webProcesses(tables, deployment);
  switch (step.do) {
    case "wait":
      return;
    case "grow":
      voice.line(deployment.app, `deployment: ${step.fresh} of ${deployment.instances} new instances`);
      return await scale(options, fresh?.guid, step.fresh);
    case "shrink": {
      const at = new Date().toISOString();
      await tables.deployments.update(deployment.guid, (one) => ({ ...one, last_successful_healthcheck: at }));
      for (const [guid, share] of shares(old, step.old)) await scale(options, guid, share);
      return;
    }
    case "restore":
      return await scale(options, shares(old, 0).keys().next().value, deployment.instances ?? 0);
    case "cancel":
      voice.line(deployment.app, "deployment: the new instances do not come up, going back to the old ones");
      await tables.deployments.update(deployment.guid, (one) => ({ ...one, reason: "CANCELING" }));
      return;
    case "finish":
      return await finished(options, deployment);
    case "discard":
      return await cancelled(options, deployment);
  }
}

async function scale({ tables, convergence }: RollOptions, guid: string | undefined, instances: number): Promise<void> {
  if (!guid || tables.processes.get(guid)?.instances === instances) return;
  await tables.processes.update(guid, (one) => ({ ...one, instances }));
  await convergence.converge(guid);
}
