import { randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, statfsSync, writeFileSync } from "node:fs";
import { totalmem } from "node:os";
import { join } from "node:path";
import { type NodeSpec, parseNode } from "../../roles/node.ts";
import { type ClusterSpec, parseCluster } from "../../roles/spec.ts";
import type { Call } from "../call.ts";
import { Fault } from "../fault.ts";
import { makeHttp } from "../http.ts";
import type { Io } from "../io.ts";
import { agentReady, runningAgent, startAgent, stopAgent } from "./agent.ts";
import { appGround } from "./appGround.ts";
import { awaitApi, claimLicense, type Login } from "./license.ts";
import { type Place, placeOf, projectFile } from "./place.ts";
import { freePorts } from "./ports.ts";
import { soloNode } from "./spec.ts";
import { type Steps, steps } from "./steps.ts";
import { tutti } from "./tutti.ts";

/** What a person or a script needs to use the cluster. */
interface Solo {
  api: string;
  router: string;
  domain: string;
  email: string;
  password: string;
  nats: { url: string; user: string; password: string };
  app?: string;
}

/** `tutti solo up`: each step is skipped when it is done already. */
export async function up(call: Call): Promise<number> {
  const { io } = call;
  const began = performance.now();
  const place = placeOf(io.env);
  // Users that apps run as may pass through; what is secret in here is closed by itself.
  mkdirSync(place.home, { recursive: true, mode: 0o711 });
  const steward = steps(io);
  const { pid, spec, started } = await ensureAgent(call, place, steward);
  try {
    const solo = await open({ call, place, spec, steward });
    const directory = call.text("push");
    if (directory) solo.app = await push(directory, io);
    steward.done("all together", (performance.now() - began) / 1000);
    io.result(solo, farewell(solo, io));
  } catch (error) {
    // What was running before is left as it was.
    if (started) await stopAgent(place, pid, () => {});
    throw error;
  }
  return call.flag("detach") ? 0 : await stay(place, pid, io);
}

async function ensureAgent(call: Call, place: Place, steward: Steps) {
  const there = runningAgent(place);
  const spec = there ? readNode(place) : await makeNode(call, place);
  const began = performance.now();
  const seconds = () => (performance.now() - began) / 1000;
  if (!there) writeFileSync(place.nodeFile, `${JSON.stringify(spec, undefined, 2)}\n`, { mode: 0o600 });
  const pid = there?.pid ?? (await startAgent(place));
  if (there) steward.done("agent", 0, `runs already (pid ${pid})`);
  const onReady = (name: string) => steward.done(name, seconds());
  const quit = new AbortController();
  const interrupt = () => quit.abort();
  process.once("SIGINT", interrupt);
  try {
    await agentReady(place, pid, { onReady, stop: quit.signal });
    if (quit.signal.aborted) throw new Fault("interrupted", { code: "interrupted", exit: 130 });
  } catch (error) {
    if (!there) await stopAgent(place, pid, () => {});
    throw error;
  } finally {
    process.off("SIGINT", interrupt);
  }
  return { pid, spec, started: !there };
}

function readNode(place: Place): NodeSpec {
  return parseNode(readFileSync(place.nodeFile, "utf8"), place.nodeFile);
}

async function makeNode(call: Call, place: Place): Promise<NodeSpec> {
  const cluster = readCluster(call.text("spec") ?? projectFile("examples/solo/cluster.yaml"));
  const before = existsSync(place.nodeFile) ? readNode(place).ports : undefined;
  const disk = statfsSync(place.home);
  const machine = { memory: totalmem() >> 20, disk: Math.floor((disk.bavail * disk.bsize) / 2 ** 20) };
  const free = await freePorts(before);
  const trace = call.io.env["TUTTI_BUS_TRACE"];
  const home = join(place.home, "node");
  const reach = appGround(home, { fresh: !before });
  return { ...soloNode({ cluster, machine, free, home, tools: projectFile(".cache/tools/bin") }), ...reach, trace };
}

function readCluster(file: string): ClusterSpec {
  if (!existsSync(file))
    throw new Fault(`${file} is not there`, { code: "no_spec", hint: "name a cluster.yaml with --spec" });
  return parseCluster(readFileSync(file, "utf8"), file);
}

interface Opening {
  call: Call;
  place: Place;
  spec: NodeSpec;
  steward: Steps;
}

/** From ready components to a person who is logged in. */
async function open({ call, place, spec, steward }: Opening): Promise<Solo> {
  const { io } = call;
  const http = makeHttp();
  const router = `http://${spec.domain}:${spec.ports.router}`;
  const api = `http://api.${spec.domain}:${spec.ports.router}`;
  await steward.step(
    "API through the router",
    () => awaitApi(http, api),
    () => api,
  );
  const login = loginOf(call, place, spec);
  const direct = `http://${spec.address}:${spec.ports.controller}`;
  await steward.step(
    "license step",
    () => claimLicense(http, direct, login),
    (told) => told,
  );
  await steward.step(
    "login",
    async () => {
      await tutti(["target", api], { io });
      await tutti(["login", login.email, "--password-stdin"], { io, input: login.password });
    },
    () => login.email,
  );
  const password = readFileSync(join(spec.home, "core", "keys", "watch.password"), "utf8").trim();
  const nats = { url: `nats://${spec.address}:${spec.ports.nats}`, user: "watch", password };
  return { api, router, domain: spec.domain, email: login.email, password: login.password, nats };
}

/** The login of this place, made at the first start and kept before it is used, so that it cannot be lost in between. */
function loginOf({ text, io }: Call, place: Place, spec: NodeSpec): Login {
  if (existsSync(place.loginFile)) return JSON.parse(readFileSync(place.loginFile, "utf8")) as Login;
  const email = text("email") ?? io.env["STACKATO_EMAIL"] ?? `you@${spec.domain}`;
  const given = io.env["TUTTI_PASSWORD"] ?? io.env["STACKATO_PASSWORD"];
  const login = { email, password: given || randomBytes(15).toString("base64url") };
  writeFileSync(place.loginFile, `${JSON.stringify(login)}\n`, { mode: 0o600 });
  return login;
}

/** Pushes the app; its URL. The steps of a push are printed by the push itself. */
async function push(directory: string, io: Io): Promise<string> {
  io.note("");
  const output = await tutti(["push", "--path", directory, "--json"], { io });
  const { url } = JSON.parse(output.trim().split("\n").at(-1) ?? "{}") as { url?: string };
  return url ?? "";
}

function farewell(solo: Solo, { paint }: Io): string {
  const row = (name: string, value: string) => `  ${name.padEnd(9)} ${value}`;
  return [
    "",
    ...(solo.app ? [row("app", paint("bold", solo.app))] : []),
    row("API", solo.api),
    row("login", `${solo.email}  ${solo.password}`),
    "",
    "Try next:",
    ...(solo.app ? [`  curl ${solo.app}`] : ["  npx tutti push --path examples/apps/hello"]),
    "  npx tutti app hello",
    "  npx tutti logs hello --recent",
  ].join("\n");
}

/** In the foreground: waits for Ctrl-C, then stops everything in order. */
async function stay(place: Place, pid: number, io: Io): Promise<number> {
  io.note(`\nCtrl-C stops the cluster; the next start finds the same apps and routes.`);
  const asked = new Promise<"asked">((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => resolve("asked"));
  });
  const gone = (async () => {
    while (runningAgent(place)?.pid === pid) await new Promise((resolve) => setTimeout(resolve, 500));
    return "gone" as const;
  })();
  if ((await Promise.race([asked, gone])) === "gone")
    throw new Fault("the agent has ended", { code: "agent_failed", hint: `see ${place.logFile}` });
  io.note("");
  await stopAgent(place, pid, (name) => io.note(`${io.paint("green", "✓")} ${name} stopped`));
  return 0;
}
