import { publicUrl } from "../address.ts";
import type { Call } from "../call.ts";
import { instancesOf } from "../find.ts";
import type { App, Process, Route } from "../resources.ts";
import { type Place, place, type Session, session } from "../session.ts";
import { bytes, facts, took } from "../show.ts";
import { connect, giveBack, takeAddresses } from "./addresses.ts";
import { ensureApp, existing } from "./app.ts";
import { ensureProcesses } from "./processes.ts";
import { readWanted } from "./read.ts";
import { release } from "./release.ts";
import { stage } from "./stage.ts";
import { steps as makeSteps, type Steps, stepsJson } from "./steps.ts";
import { type Entry, readTree } from "./tree.ts";
import { upload } from "./upload.ts";
import { verify } from "./verify.ts";
import type { Wanted } from "./wanted.ts";

/** Uploads directories and runs them, one app after the other. Every step is safe to repeat. */
export async function push(call: Call): Promise<void> {
  const all = await readWanted(call, process.cwd());
  const opened = await session(call);
  const where = await place(opened, call);
  for (const wanted of all) await pushOne({ call, opened, where, wanted, steps: makeSteps(call.io) });
}

interface Pushing {
  call: Call;
  opened: Session;
  where: Place;
  wanted: Wanted;
  steps: Steps;
}

async function pushOne(pushing: Pushing): Promise<void> {
  const { call, opened, where, wanted, steps } = pushing;
  const { api, http } = opened;
  steps.line(`pushing ${wanted.name} to ${where.organization.name} / ${where.space.name} at ${api.target}`);
  const entries = await steps.take("push", () => readTree(wanted.directory, wanted.ignores), described);
  const { app, routes } = await steps.take(
    "create app",
    () => create(pushing),
    ({ words }) => words,
  );
  const bits = await steps.take(
    "upload",
    () => send(pushing, app, entries),
    ({ words }) => words,
  );
  if (call.off("start")) return notStarted(pushing, routes);
  const droplet = await stage({ api, app, package: bits.package, steps, tail: !call.off("tail") && !call.io.json });
  const url = routes[0] && publicUrl(routes[0].url, api.target);
  const { process, strategy } = await release({
    api,
    http,
    app,
    steps,
    droplet,
    strategy: call.text("strategy"),
    settle: () => ensureProcesses(api, { app, wanted, droplet }),
    url,
  });
  if (url && process.type === "web" && process.instances > 0)
    await steps.take(
      "route",
      () => verify({ api, http, app, process, url }),
      (words) => words,
    );
  await finish(pushing, { guid: app.guid, routes, process, strategy });
}

function described(entries: readonly Entry[]): string {
  const files = entries.filter((entry) => entry.kind !== "directory");
  return `${files.length} ${files.length === 1 ? "file" : "files"}, ${bytes(files.reduce((sum, entry) => sum + entry.size, 0))}`;
}

async function create({ opened: { api }, where, wanted, steps }: Pushing) {
  const there = await existing(api, where, wanted.name);
  const addresses = await takeAddresses(api, where, { app: there, wanted });
  const app = await ensureApp(api, where, { wanted, there }).catch(async (error: unknown) => {
    await giveBack(api, addresses);
    throw error;
  });
  const onShared = (url: string, apps: readonly string[]) =>
    steps.line(`     note: ${url} leads to ${apps.join(", ")} too: requests go to all of them`);
  const routes = await connect(api, addresses, { app, onShared });
  return { app, routes, words: there ? "is there, will be updated" : "new" };
}

async function send({ opened: { api }, steps }: Pushing, app: App, entries: readonly Entry[]) {
  let size = 0;
  const onBytes = (total: number) => {
    size = total;
    steps.progress(`uploading … ${bytes(total)}`);
  };
  const sent = await upload(api, app, { entries, onBytes });
  const words = `${bytes(size)}${sent.known ? `, ${sent.known} of ${sent.known + sent.sent} files are known there already` : ""}`;
  return { ...sent, words };
}

function notStarted({ call, opened: { api }, wanted, steps }: Pushing, routes: readonly Route[]): void {
  const urls = routes.map((route) => publicUrl(route.url, api.target));
  const value = {
    ok: true,
    app: wanted.name,
    started: false,
    urls,
    seconds: seconds(steps),
    steps: stepsJson(steps.done),
  };
  call.io.result(value, `${wanted.name} is uploaded; start it: tutti start ${wanted.name}`);
}

interface Outcome {
  guid: string;
  routes: readonly Route[];
  process: Process;
  strategy: string;
}

async function finish(
  { call, opened: { api }, wanted, steps }: Pushing,
  { guid, routes, process, strategy }: Outcome,
): Promise<void> {
  const urls = routes.map((route) => publicUrl(route.url, api.target));
  const instances = await instancesOf(api, process);
  // The cluster's picture may be half a second old; that one answers has just been seen.
  const running = Math.max(instances.filter((each) => each.state === "RUNNING").length, Math.min(1, process.instances));
  const total = seconds(steps);
  call.io.result(
    {
      ok: true,
      app: wanted.name,
      guid,
      url: urls[0] ?? null,
      urls,
      instances: process.instances,
      memory_in_mb: process.memory_in_mb,
      strategy,
      seconds: total,
      steps: stepsJson(steps.done),
    },
    facts([
      [wanted.name, call.io.paint("green", "running")],
      ["url", call.io.paint("bold", urls.join(", ") || "none")],
      ["instances", `${running}/${process.instances} ${process.type}`],
      ["memory", `${bytes(process.memory_in_mb * 2 ** 20)} each`],
      ["time", took(total * 1000)],
    ]),
  );
}

const seconds = (steps: Steps) => Math.round(steps.elapsed()) / 1000;
