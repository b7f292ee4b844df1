import { publicUrl } from "./address.ts";
import type { Api } from "./api.ts";
import type { Call } from "./call.ts";
import { exits, Fault } from "./fault.ts";
import { findProcess, openApp, routesOf } from "./find.ts";
import { release } from "./push/release.ts";
import { stage } from "./push/stage.ts";
import { steps as makeSteps, type Steps, stepsJson } from "./push/steps.ts";
import { verify } from "./push/verify.ts";
import type { App, Droplet, Package } from "./resources.ts";
import type { Session } from "./session.ts";

/** Starts what was stopped, or only uploaded: then it is built first. */
export async function start(call: Call): Promise<void> {
  const opened = await openApp(call);
  const { app, api } = opened;
  const fresh = await unstaged(api, app);
  if (app.state === "STARTED" && !fresh) return started(call, opened, { verb: "runs already", changed: false });
  await bring(call, opened, fresh ? { build: fresh } : {});
}

export async function stop(call: Call): Promise<void> {
  const { api, app } = await openApp(call);
  const changed = app.state === "STARTED";
  if (changed) await api.post(`/v3/apps/${app.guid}/actions/stop`);
  call.io.result(
    { ok: true, app: app.name, state: "stopped", changed },
    `${app.name} is stopped${changed ? "" : " already"}`,
  );
}

export async function restart(call: Call): Promise<void> {
  await bring(call, await openApp(call), {});
}

export async function restage(call: Call): Promise<number> {
  const opened = await openApp(call);
  const bits = await newestPackage(opened.api, opened.app);
  if (!bits) {
    throw new Fault(`${opened.app.name} has no files to build from`, {
      code: "no_package",
      hint: `tutti push ${opened.app.name}`,
    });
  }
  await bring(call, opened, { build: bits });
  return exits.done;
}

/** Starts all instances of a running app anew without losing a request, for commands that changed something. */
export async function restartApp(call: Call, { api, app, http }: Opened): Promise<void> {
  const steps = makeSteps(call.io);
  await release({ api, http, app, steps, strategy: "rolling", settle: () => findProcess(api, app, undefined) });
}

type Opened = Pick<Session, "api" | "http"> & { app: App };

async function bring(call: Call, opened: Opened, { build }: { build?: Package }): Promise<void> {
  const { api, app, http } = opened;
  const steps = makeSteps(call.io);
  const tail = !call.io.json;
  const droplet = build && (await stage({ api, app, package: build, steps, tail }));
  if (!build && !(await currentDroplet(api, app))) {
    throw new Fault(`${app.name} has nothing to run yet`, { code: "no_droplet", hint: `tutti push ${app.name}` });
  }
  const url = await addressOf(api, app);
  const settle = () => findProcess(api, app, undefined);
  const { process } = await release({ api, http, app, steps, droplet, strategy: call.text("strategy"), settle, url });
  if (url && process.type === "web" && process.instances > 0)
    await steps.take(
      "route",
      () => verify({ api, http, app, process, url }),
      (words) => words,
    );
  started(call, opened, { verb: "is running", changed: true, url, steps });
}

interface Started {
  verb: string;
  changed: boolean;
  url?: string | undefined;
  steps?: Steps;
}

function started({ io }: Call, { app }: Opened, { verb, changed, url, steps }: Started): void {
  const timing = steps && { seconds: Math.round(steps.elapsed()) / 1000, steps: stepsJson(steps.done) };
  io.result(
    { ok: true, app: app.name, state: "started", changed, url, ...timing },
    `${app.name} ${verb}${url ? `: ${url}` : ""}`,
  );
}

async function addressOf(api: Api, app: App): Promise<string | undefined> {
  const route = (await routesOf(api, app))[0];
  return route && publicUrl(route.url, api.target);
}

interface Linked extends Droplet {
  links?: { package?: { href?: string } };
}

function currentDroplet(api: Api, app: App): Promise<Linked | undefined> {
  return api.maybe<Linked>(`/v3/apps/${app.guid}/droplets/current`);
}

async function newestPackage(api: Api, app: App): Promise<Package | undefined> {
  const query = { states: "READY", order_by: "-created_at" };
  return (await api.all<Package>(`/v3/apps/${app.guid}/packages`, query))[0];
}

/** The newest upload, when it is not what the app runs. */
async function unstaged(api: Api, app: App): Promise<Package | undefined> {
  const [droplet, bits] = await Promise.all([currentDroplet(api, app), newestPackage(api, app)]);
  return bits && !droplet?.links?.package?.href?.endsWith(bits.guid) ? bits : undefined;
}
