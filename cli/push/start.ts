import { setTimeout as pause } from "node:timers/promises";
import type { Api } from "../api.ts";
import { Fault } from "../fault.ts";
import { instancesOf } from "../find.ts";
import type { Http } from "../http.ts";
import { type Line, readLog } from "../logcache.ts";
import { patience } from "../poll.ts";
import type { App, Deployment, Process } from "../resources.ts";
import { plain } from "../show.ts";
import { type Probed, probeUntil } from "./probe.ts";
import type { Steps } from "./steps.ts";
import { homeless, look, nothingSeen, unexplained, verdict } from "./verdict.ts";

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

async function watch({ api, app, process, steps }: Starting, stop: AbortSignal): Promise<void> {
  const began = performance.now();
  const timeout = (process.health_check?.data?.timeout ?? 60) * 1000;
  let housed = began;
  let seen = nothingSeen;
  for (let looks = 0; !stop.aborted; looks++) {
    const instances = await instancesOf(api, process);
    const now = performance.now();
    if (!homeless(instances)) housed = now;
    seen = look(seen, instances);
    const found = verdict(instances, { elapsed: now - began, timeout, homelessFor: now - housed, died: seen.died });
    if (found.kind === "up") return;
    if (found.kind === "failed") throw new Fault(plain(await explained(api, app, found.why)), { code: found.code });
    if (now - began > 1000) steps.progress(plain(found.why));
    await pause(patience(looks));
  }
}

/** The reason of a crash that was over when we looked, by what the DEA said of it. */
async function explained(api: Api, app: App, why: string): Promise<string> {
  if (!why.includes(unexplained)) return why;
  const lines = await readLog(api, app, { limit: 100, newest: true }).catch((): Line[] => []);
  const told = lines.findLast((line) => line.source === "CELL" && /crashed: /.test(line.text));
  return told ? why.replace(unexplained, told.text.replace(/^.*?crashed: /, "")) : why;
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
