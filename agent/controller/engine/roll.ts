import { sleep } from "../../run/sleep.ts";
import type { Deployment, Process } from "../records.ts";
import type { Convergence } from "./converge.ts";
import type { Finder } from "./find.ts";
import { inTurn } from "./inTurn.ts";
import type { News } from "./news.ts";
import type { EngineOptions } from "./options.ts";
import { plan } from "./plan.ts";
import { begin } from "./rollBegin.ts";
import { rollClaims } from "./rollClaim.ts";
import { cancelled, finished, webProcesses } from "./rollEnd.ts";
import { type RollPicture, type RollStep, rollStep, shares } from "./rollStep.ts";
import { type Routed, routed } from "./routed.ts";
import type { Slots } from "./slots.ts";
import type { Voice } from "./voice.ts";

export interface RollOptions extends EngineOptions {
  id: string;
  finder: Finder;
  voice: Voice;
  convergence: Convergence;
  slots: Slots;
  news: News;
  /** Aborted when the controller stops. */
  life: () => AbortSignal;
}

export interface Rolls {
  /** Takes the next steps of one deployment, if this controller rolls it, until something must be waited for. */
  turn(guid: string): Promise<void>;
  /** The same for all that are ACTIVE. */
  turnAll(): Promise<void>;
  /** The same as soon as something about their processes changes. Returns the way to stop. */
  follow(): () => void;
}

/** What this controller has seen of a deployment, by its own clock (ms). */
interface Followed {
  mark: string;
  since: number;
  routed: Routed;
  waking: boolean;
}

/** Rolls deployments step by step. Everything is in the records, so any controller can go on where another stopped. */
export function rolls(options: RollOptions): Rolls {
  const { tables, beat, id, life, log, news } = options;
  const claims = rollClaims({ tables, holder: id, beat });
  const followed = new Map<string, Followed>();
  const turns = inTurn();
  const quietly = (guid: string) =>
    turn(guid).catch((error: unknown) => log.warn({ err: error, deployment: guid }, "a roll stumbled"));
  const wake = async (guid: string, mine: Followed) => {
    const wait = mine.waking ? undefined : mine.routed.wait(Date.now());
    if (wait === undefined) return;
    mine.waking = true;
    await sleep(wait, life());
    mine.waking = false;
    if (!life().aborted) await quietly(guid);
  };
  /** True when something was done, so that the next step may be due already. */
  const step = async (guid: string): Promise<boolean> => {
    const claimed = await claims.claim(guid, Date.now());
    const deployment = claimed && (await begin(options, claimed));
    if (!deployment) return followed.delete(guid) && false;
    const mine = followed.get(guid) ?? { mark: "", since: Date.now(), routed: routed(beat), waking: false };
    followed.set(guid, mine);
    const picture = await look(options, deployment, mine.routed);
    // Steps count as progress, not instances that come up and go down again.
    const mark = [deployment.reason, picture.fresh, picture.old].join();
    if (mark !== mine.mark) Object.assign(mine, { mark, since: Date.now() });
    const done = await act(options, deployment, rollStep({ ...picture, stuck: (Date.now() - mine.since) / beat }));
    void wake(guid, mine);
    return done;
  };
  const steps = async (guid: string) => {
    while (!life().aborted && (await step(guid)));
  };
  const turn = (guid: string) => turns(guid, () => steps(guid));
  const active = () => tables.deployments.all().filter(({ status }) => status === "ACTIVE");
  return {
    turn,
    turnAll: async () => void (await Promise.all(active().map(({ guid }) => turn(guid)))),
    follow: () =>
      news.on((processes) => {
        if (followed.size === 0) return;
        const apps = new Set([...processes].map((guid) => tables.processes.get(guid)?.app));
        for (const { guid, app } of active()) if (followed.has(guid) && apps.has(app)) void quietly(guid);
      }),
  };
}

async function look(options: RollOptions, deployment: Deployment, seen: Routed): Promise<Omit<RollPicture, "stuck">> {
  const { tables } = options;
  const { fresh, old } = webProcesses(tables, deployment);
  const now = Date.now();
  const healthy = fresh ? await serving(options, fresh, (instance) => seen.isRouted(instance, now)) : 0;
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
  const running = found.filter((one) => one.state === "RUNNING" && one.index < process.instances);
  const serve = running.filter((one) => good(one.instance));
  return new Set(serve.map((one) => one.index)).size;
}

/** Resolves to whether anything was changed. */
async function act(options: RollOptions, deployment: Deployment, step: RollStep): Promise<boolean> {
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
