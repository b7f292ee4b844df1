import { setTimeout as pause } from "node:timers/promises";
import type { Api } from "../api.ts";
import { Fault } from "../fault.ts";
import { instancesOf } from "../find.ts";
import type { Http } from "../http.ts";
import { patience } from "../poll.ts";
import type { App, Deployment, Instance, Process } from "../resources.ts";
import { plain } from "../show.ts";
import { type Probed, probeUntil } from "./probe.ts";
import type { Steps } from "./steps.ts";
import { homeless, verdict } from "./verdict.ts";

export interface Starting {
  api: Api;
  http: Http;
  app: App;
  steps: Steps;
  /** The process whose instances decide. */
  process: Process;
  /** The address to try while waiting: on a fresh start, an answer proves more than any report. */
  url?: string | undefined;
}

/** Waits until an instance runs; throws with the reason when that will not happen. */
export async function untilUp(starting: Starting): Promise<void> {
  const { url, http } = starting;
  const over = new AbortController();
  const answered = url
    ? probeUntil(http, url, { limit: Number.POSITIVE_INFINITY, stop: over.signal }).then(
        (found: Probed) => found.answered,
      )
    : new Promise<never>(() => {});
  try {
    await Promise.race([watch(starting, over.signal), answered]);
  } finally {
    over.abort();
  }
}

async function watch({ api, process, steps }: Starting, stop: AbortSignal): Promise<void> {
  const began = performance.now();
  const timeout = (process.health_check?.data?.timeout ?? 60) * 1000;
  let housed = began;
  for (let looks = 0; !stop.aborted; looks++) {
    const instances = await instancesOf(api, process);
    const now = performance.now();
    if (!homeless(instances)) housed = now;
    const found = verdict(instances, { elapsed: now - began, timeout, homelessFor: now - housed });
    if (found.kind === "up") return;
    if (found.kind === "failed") throw new Fault(plain(found.why), { code: found.code });
    if (now - began > 1000) steps.progress(plain(found.why));
    await pause(patience(looks));
  }
}

/** Waits for a rolling deployment. When its new instances fail it is taken back, and the old version goes on. */
export async function untilRolled(starting: Starting, deployment: Deployment): Promise<void> {
  const { api, app } = starting;
  const over = new AbortController();
  const fresh = deployment.new_processes?.[0];
  const died = fresh
    ? watch({ ...starting, process: { ...starting.process, guid: fresh.guid } }, over.signal)
    : Promise.resolve();
  // A deployment that is through has no new process any more: what became of it is told by the deployment.
  const failure = died.then(
    () => undefined,
    (error: unknown) => (error instanceof Fault && /^(start_|no_room)/.test(error.code) ? error : undefined),
  );
  let failed: Fault | undefined;
  failure.then((error) => {
    failed = error;
  });
  try {
    for (let looks = 0; ; looks++) {
      const { status } = await api.get<Deployment>(`/v3/deployments/${deployment.guid}`);
      if (status.value === "FINALIZED") return finished(status.reason, app);
      if (failed) throw await takenBack(api, deployment, failed);
      await pause(patience(looks));
    }
  } finally {
    over.abort();
  }
}

function finished(reason: string, app: App): void {
  if (reason === "DEPLOYED") return;
  const why = reason === "SUPERSEDED" ? "another push has taken its place" : "it was canceled";
  throw new Fault(`the new version was not deployed: ${why}`, { code: "not_deployed", hint: `tutti app ${app.name}` });
}

async function takenBack(api: Api, { guid }: Deployment, failed: Fault): Promise<Fault> {
  await api.post(`/v3/deployments/${guid}/actions/cancel`).catch(() => {});
  return new Fault(`${failed.message}; the old version goes on`, { code: failed.code, cause: failed });
}

/** How many run, of how many. */
export function counted(instances: readonly Instance[]): string {
  const running = instances.filter((each) => each.state === "RUNNING").length;
  return `${running}/${instances.length}`;
}
