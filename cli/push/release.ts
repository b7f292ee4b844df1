import type { Api } from "../api.ts";
import { Fault } from "../fault.ts";
import { instancesOf, processesOf } from "../find.ts";
import { type Mark, type Message, marks } from "../flow.ts";
import type { Http } from "../http.ts";
import { batch, type Line, lineText, nextLine, readLog } from "../logcache.ts";
import { poll } from "../poll.ts";
import type { App, Deployment, Droplet, Process } from "../resources.ts";
import { untilRolled, untilUp } from "./start.ts";
import type { Steps } from "./steps.ts";

export interface Release {
  api: Api;
  http: Http;
  app: App;
  steps: Steps;
  droplet?: Droplet | undefined;
  strategy: string | undefined;
  /** Makes the processes as they should be, when the new droplet's are known; resolves to the one that decides. */
  settle(): Promise<Process>;
  url?: string | undefined;
}

export interface Released {
  process: Process;
  strategy: "rolling" | "restart" | "start";
}

/** Brings a droplet to run, and says steps 6 to 9 as the cluster saw them. Throws with the reason when it does not. */
export async function release(options: Release): Promise<Released> {
  const { api, app, steps } = options;
  await takeBack(options);
  const strategy = await chooseStrategy(options);
  const began = { at: Date.now(), mark: performance.now(), line: await nextLine(api, app) };
  try {
    const process = strategy === "rolling" ? await roll(options) : await startAnew(options, strategy);
    await tellSteps(api, { app, steps, began, rolled: strategy === "rolling" });
    return { process, strategy };
  } catch (error) {
    await showLast(api, { app, steps, since: began.line });
    throw error instanceof Fault ? advised(error, app) : error;
  }
}

function advised(error: Fault, { name }: App): Fault {
  const look = `tutti logs ${name} --recent; tutti files ${name} logs`;
  const hint =
    error.code === "no_room" ? "ask for less (--memory), stop another app, or add a node with the role dea" : look;
  return error.hint ? error : new Fault(error.message, { code: error.code, cause: error, hint });
}

/** A deployment that an interrupted push left under way would refuse every change: it is taken back first. */
async function takeBack({ api, app, steps }: Release): Promise<void> {
  const active = await api.all<Deployment>("/v3/deployments", { app_guids: app.guid, status_values: "ACTIVE" });
  for (const { guid } of active) {
    steps.line("     taking back a deployment that is still under way …");
    await api.post(`/v3/deployments/${guid}/actions/cancel`).catch(() => {});
    const ended = await poll(async () => {
      const { status } = await api.get<Deployment>(`/v3/deployments/${guid}`);
      return status.value === "FINALIZED" ? status : undefined;
    }, 120_000);
    if (!ended)
      throw new Fault("an earlier deployment does not end", { code: "deployment_stuck", hint: "tutti status" });
  }
}

/** Rolling needs something that runs: an app whose instances are all down is started anew. */
async function chooseStrategy({ api, app, strategy }: Release): Promise<Released["strategy"]> {
  if (app.state !== "STARTED") return "start";
  if (strategy === "restart") return "restart";
  const web = (await processesOf(api, app)).find((process) => process.type === "web");
  const running = web && web.instances > 0 && (await instancesOf(api, web)).some((each) => each.state === "RUNNING");
  return running ? "rolling" : "restart";
}

async function roll(options: Release): Promise<Process> {
  const { api, app, droplet } = options;
  const process = await options.settle();
  const deployment = await api.post<Deployment>("/v3/deployments", {
    ...(droplet && { droplet: { guid: droplet.guid } }),
    strategy: "rolling",
    relationships: { app: { data: { guid: app.guid } } },
  });
  await untilRolled({ ...options, process }, deployment);
  return (await processesOf(api, app)).find((each) => each.type === process.type) ?? process;
}

/** Stopped first: a new droplet or a new size would each replace the instances for itself. */
async function startAnew(options: Release, strategy: "restart" | "start"): Promise<Process> {
  const { api, app, droplet, url } = options;
  if (strategy === "restart") await api.post(`/v3/apps/${app.guid}/actions/stop`);
  if (droplet) await api.patch(`/v3/apps/${app.guid}/relationships/current_droplet`, { data: { guid: droplet.guid } });
  const process = await options.settle();
  await api.post(`/v3/apps/${app.guid}/actions/start`);
  // Instances that are just being stopped may still answer: then an answer proves nothing.
  if (process.instances > 0)
    await untilUp({ ...options, process, url: strategy === "start" && process.type === "web" ? url : undefined });
  return process;
}

interface Telling {
  app: App;
  steps: Steps;
  began: { at: number; mark: number; line: bigint };
  rolled: boolean;
}

/** Steps 6 to 9 by what went over the bus and what the DEA said; as one when neither can be had. */
async function tellSteps(api: Api, { app, steps, began, rolled }: Telling): Promise<void> {
  const total = performance.now() - began.mark;
  const seen = await observed(api, app, began.line);
  const from = new Map(seen.map((mark) => [mark.step, mark]));
  const [asked, answered, deployed, started] = [6, 7, 8, 9].map((step) => from.get(step)?.at);
  if (asked === undefined || answered === undefined) return steps.add("app starts", total);
  const before = Math.min(Math.max(0, asked - began.at), total);
  steps.add("request DEA", before);
  steps.add("DEA responds", Math.max(0, answered - asked));
  const at = Math.max(answered, deployed ?? answered);
  steps.add("droplet deployed", at - answered);
  const rest = total - before - (at - asked);
  const end = started ?? from.get(10)?.at;
  const starting = Math.max(0, end === undefined ? rest : Math.min(rest, end - at));
  steps.add("app starts", starting);
  if (rolled) steps.add("old version leaves", Math.max(0, rest - starting));
}

async function observed(api: Api, app: App, since: bigint): Promise<Mark[]> {
  const [trace, lines] = await Promise.all([
    api.maybe<{ resources?: Message[] }>(`/tutti/trace/${app.guid}`).catch(() => undefined),
    readLog(api, app, { start: since, limit: batch }).catch((): Line[] => []),
  ]);
  const from = Number(since / 1_000_000n);
  const messages = trace?.resources ?? [];
  const asked = messages.find((message) => message.subject === "dea.discover" && message.at >= from);
  return marks(messages, lines, asked?.at ?? from);
}

/** The end of the app's own words, so that the reason stands where the person looks. */
async function showLast(api: Api, { app, steps, since }: { app: App; steps: Steps; since: bigint }): Promise<void> {
  const lines = await readLog(api, app, { start: since, limit: 200, newest: true }).catch((): Line[] => []);
  const told = lines.filter((line) => /^(APP|CELL|HEALTH)/.test(line.source)).slice(-20);
  if (told.length) steps.line("     last lines of its log:");
  for (const line of told) steps.line(`     | ${lineText(line)}`);
}
