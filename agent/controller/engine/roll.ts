import { sleep } from "../../run/sleep.ts";
import type { Deployment, Process } from "../records.ts";
import type { Convergence } from "./converge.ts";
import type { Finder } from "./find.ts";
import { inTurn } from "./inTurn.ts";
import type { News } from "./news.ts";
import type { EngineOptions } from "./options.ts";
import { act } from "./rollAct.ts";
import { begin } from "./rollBegin.ts";
import { rollClaims } from "./rollClaim.ts";
import { webProcesses } from "./rollEnd.ts";
import { type RollPicture, rollStep } from "./rollStep.ts";
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
  const healthy = fresh ? await serving(options, fresh, (instance) => seen.isRouted(instance, Date.now())) : 0;
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
