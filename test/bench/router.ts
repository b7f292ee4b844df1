import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { until } from "../support/solo.ts";
import { tool, toolsBin } from "../support/tools.ts";
import { firstByte, freePort } from "./bare.ts";
import { ground, registerAll } from "./ground.ts";
import { type Benchmark, type Figure, median, pairs, spreadOf } from "./harness.ts";

const exec = promisify(execFile);
const rounds = 5;
const seconds = 4;

/** Requests a second through our router and through a bare HAProxy with the same map and an access log, in turn. */
export const router: Benchmark = {
  name: "router",
  what: "requests/s through the router, as a share of a bare HAProxy, with 1 and with 100,000 routes",
  async run(tell) {
    const figures: Figure[] = [];
    for (const [routes, apps] of [
      [1, 1],
      [100_000, 100],
    ] as const)
      figures.push(await compare({ routes, apps, tell }));
    return figures;
  },
};

interface Setting {
  routes: number;
  apps: number;
  tell: (line: string) => void;
}

async function compare({ routes, apps, tell }: Setting): Promise<Figure> {
  const work = mkdtempSync(join(tmpdir(), "tutti-bench-"));
  const names = Array.from({ length: routes }, (_, n) => `r${n}.bench.test`);
  const ports = await freePorts(apps);
  const backend = await haproxy(work, "backend", backendConfig(ports));
  const barePort = await freePort();
  const bare = await haproxy(work, "bare", bareConfig({ work, port: barePort, ports, names }));
  const place = await ground();
  try {
    registerAll(place.bus, { ports, names });
    const last = names.at(-1) ?? "";
    await until(
      () => firstByte(place.port, { host: last }),
      (status) => status === 200,
      60_000,
    );
    const script = join(work, "hosts.lua");
    writeFileSync(script, lua(names));
    const { a, b, ratios } = await pairs(
      rounds,
      () => load(place.port, script),
      () => load(barePort, script),
    );
    tell(`${routes} routes: router ${median(a).toFixed(0)}/s, bare HAProxy ${median(b).toFixed(0)}/s`);
    return {
      name: `requests/s, ${routes} route${routes > 1 ? "s" : ""}, share of HAProxy`,
      value: median(ratios),
      unit: "×",
      goal: { atLeast: 0.9 },
      spread: spreadOf(ratios),
      compare: `bare HAProxy ${median(b).toFixed(0)}/s, router ${median(a).toFixed(0)}/s`,
    };
  } finally {
    await place.remove();
    bare.kill();
    backend.kill();
    rmSync(work, { recursive: true, force: true });
  }
}

async function freePorts(count: number): Promise<number[]> {
  const ports = new Set<number>();
  while (ports.size < count) ports.add(await freePort());
  return [...ports];
}

/** wrk with one thread and 64 connections; requests a second. */
async function load(port: number, script: string): Promise<number> {
  const args = ["-t1", "-c64", `-d${seconds}s`, "-s", script, `http://127.0.0.1:${port}/`];
  const { stdout } = await exec(join(toolsBin, "wrk"), args);
  if (/Non-2xx/.test(stdout)) throw new Error(`not every answer was a 200:\n${stdout}`);
  return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)?.[1]);
}

/** A host for each request, out of at most a thousand spread over all. */
function lua(names: readonly string[]): string {
  const step = Math.max(1, Math.floor(names.length / 1000));
  const hosts = names.filter((_, n) => n % step === 0).map((name) => `"${name}"`);
  return `local hosts = {${hosts.join(",")}}
local turn = 0
request = function()
  turn = turn % #hosts + 1
  wrk.headers["Host"] = hosts[turn]
  return wrk.format("GET", "/")
end
`;
}

async function haproxy(work: string, name: string, config: string): Promise<ChildProcess> {
  const file = join(work, `${name}.cfg`);
  writeFileSync(file, config);
  const log = openSync(join(work, `${name}.log`), "a");
  const child = spawn(tool("haproxy"), ["-db", "-f", file], { stdio: ["ignore", log, log] });
  const port = Number(/bind 127\.0\.0\.1:(\d+)/.exec(config)?.[1]);
  await firstByte(port);
  return child;
}

const defaults = `defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
`;

/** The fastest backend there is: HAProxy answering by itself. */
function backendConfig(ports: readonly number[]): string {
  const binds = ports.map((port) => `  bind 127.0.0.1:${port}`).join("\n");
  return `${defaults}frontend all\n${binds}\n  http-request return status 200 content-type text/plain string "hello"\n`;
}

interface Bare {
  work: string;
  port: number;
  ports: readonly number[];
  names: readonly string[];
}

/** What a person would write by hand: a map from host to backend, one backend an app, an access log. */
function bareConfig({ work, port, ports, names }: Bare): string {
  const map = join(work, "hosts.map");
  writeFileSync(map, names.map((name, n) => `${name} app${n % ports.length}\n`).join(""));
  const backends = ports.map((at, i) => `backend app${i}\n  http-reuse always\n  server s 127.0.0.1:${at}\n`);
  return `global
  log stdout format raw local0
  nbthread 2
${defaults}  log global
  option httplog
frontend front
  bind 127.0.0.1:${port}
  use_backend %[req.hdr(host),lower,map_str(${map})]
${backends.join("")}`;
}
