import { createHash, randomUUID } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";

// A small server that answers like Cloud Foundry API v3, the token endpoint, log-cache and the router in front of them.
// It stands in for the cluster where the commands themselves are what is tested.

export type Json = Record<string, unknown>;
export type Behaviour = "runs" | "crashes" | "homeless" | "silent" | "unstageable";

export interface FakeApp extends Json {
  guid: string;
  name: string;
  state: string;
  env: Record<string, string>;
  droplet?: string;
}

export interface Asked {
  method: string;
  path: string;
  body: string;
  headers: IncomingMessage["headers"];
}

/** What the cluster is like; tests change it as they go. */
export interface World {
  behaviour: Behaviour;
  password: string;
  /** Access tokens that are still good; `expire()` empties it. */
  tokens: Set<string>;
  refresh: Set<string>;
  apps: Map<string, FakeApp>;
  processes: Map<string, Json & { guid: string; app: string; type: string }>;
  packages: Map<string, Json & { guid: string; app: string; bytes?: Buffer }>;
  builds: Map<string, Json & { guid: string; app: string }>;
  deployments: Map<string, Json & { guid: string }>;
  routes: Map<string, Json & { guid: string; host: string; path: string; apps: string[] }>;
  resources: Set<string>;
  logs: { at: bigint; source: string; text: string; err: boolean; app: string }[];
  spaces: string[];
  licensed: boolean;
  /** Whether it can tell of all running instances in one answer. */
  counts: boolean;
  asked: Asked[];
}

export interface FakeCluster extends World {
  url: string;
  port: number;
  close(): Promise<void>;
}

const domain = { guid: "domain-1", name: "tutti.localhost", internal: false };
const space = (name: string) => ({ guid: `space-${name}`, name });
const page = (resources: unknown[]) => ({ pagination: { total_results: resources.length, next: null }, resources });

export async function fakeCluster(): Promise<FakeCluster> {
  const world: World = {
    behaviour: "runs",
    password: "correct horse",
    tokens: new Set(),
    refresh: new Set(),
    apps: new Map(),
    processes: new Map(),
    packages: new Map(),
    builds: new Map(),
    deployments: new Map(),
    routes: new Map(),
    resources: new Set(),
    logs: [],
    spaces: ["dev"],
    licensed: true,
    counts: true,
    asked: [],
  };
  const server = createServer((request, response) => {
    answer(world, request, response).catch((error) =>
      send(response, 500, { errors: [{ title: "Broken", detail: String(error) }] }),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return Object.assign(world, {
    port,
    url: `http://api.tutti.localhost:${port}`,
    close: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  });
}

async function answer(world: World, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const host = (request.headers.host ?? "").split(":")[0] ?? "";
  if (host !== "api.tutti.localhost") return routed(world, host, response);
  const url = new URL(request.url ?? "/", `http://${request.headers.host}`);
  const bytes = await buffer(request);
  const method = request.method ?? "GET";
  world.asked.push({
    method,
    path: url.pathname + url.search,
    body: bytes.toString("latin1"),
    headers: request.headers,
  });
  const ask: Ask = { world, method, path: url.pathname, query: url.searchParams, bytes, base: url.origin, request };
  if (url.pathname === "/")
    return send(response, 200, {
      links: {
        cloud_controller_v3: { href: `${url.origin}/v3` },
        login: { href: url.origin },
        uaa: { href: url.origin },
      },
    });
  if (url.pathname === "/tutti/ready")
    return send(response, world.licensed ? 200 : 503, {
      ready: true,
      licensed: world.licensed,
      missing: [],
      components: [{ type: "Router", expected: 1, healthy: 1 }],
    });
  if (!world.licensed) return fail(response, 503, "ServiceUnavailable", "the license step was not taken");
  if (url.pathname === "/oauth/token") return token(world, new URLSearchParams(bytes.toString()), response);
  const bearer = /^bearer (.+)$/i.exec(request.headers.authorization ?? "")?.[1] ?? "";
  if (!world.tokens.has(bearer)) return fail(response, 401, "InvalidAuthToken", "Invalid Auth Token");
  const { routes } = await import("./cliRoutes.ts");
  for (const [pattern, act] of routes) {
    const match = new RegExp(`^${pattern}$`).exec(`${method} ${url.pathname}`);
    if (!match) continue;
    const found = act(ask, match.slice(1));
    if (found === undefined) return fail(response, 404, "ResourceNotFound", "not found");
    const {
      $status: status = method === "POST" ? 201 : 200,
      $location: location,
      ...body
    } = found as Json & { $status?: number; $location?: string };
    if (location) response.setHeader("location", location);
    return send(response, status, body);
  }
  fail(response, 404, "NotFound", `Unknown request ${method} ${url.pathname}`);
}

export interface Ask {
  world: World;
  method: string;
  path: string;
  query: URLSearchParams;
  bytes: Buffer;
  base: string;
  request: IncomingMessage;
}

/** The router: apps that run answer, everything else is its own page. */
function routed(world: World, host: string, response: ServerResponse): void {
  const route = [...world.routes.values()].find((each) => `${each.host}.${domain.name}` === host);
  const app = route?.apps.map((guid) => world.apps.get(guid)).find((each) => each?.state === "STARTED");
  if (app && world.behaviour === "runs") {
    response.writeHead(200, { "content-type": "text/plain" }).end(`hello from ${app.name}`);
    return;
  }
  const [status, code] = route ? [503, "no_endpoints"] : [404, "unknown_route"];
  response
    .writeHead(status as number, { "x-cf-routererror": String(code), "content-type": "text/html" })
    .end("<html></html>");
}

function token(world: World, form: URLSearchParams, response: ServerResponse): void {
  const good =
    form.get("grant_type") === "password"
      ? form.get("password") === world.password
      : world.refresh.delete(form.get("refresh_token") ?? "");
  if (!good) {
    send(response, 401, { error: "unauthorized", error_description: "Bad credentials" });
    return;
  }
  const payload = Buffer.from(JSON.stringify({ exp: Math.floor(Date.now() / 1000) + 600 })).toString("base64url");
  const tokens = {
    access_token: `h.${payload}.${randomUUID()}`,
    refresh_token: `refresh-${randomUUID()}`,
    token_type: "bearer",
  };
  world.tokens.add(tokens.access_token);
  world.refresh.add(tokens.refresh_token);
  send(response, 200, tokens);
}

function send(response: ServerResponse, status: number, body: Json): void {
  response
    .writeHead(status, { "content-type": "application/json" })
    .end(status === 204 ? undefined : JSON.stringify(body));
}

function fail(response: ServerResponse, status: number, title: string, detail: string): void {
  send(response, status, { errors: [{ code: 10000, title: `CF-${title}`, detail }] });
}

/** Writes a line of the app's log, a moment after the last one. */
export function logLine(world: World, app: string, source: string, text: string, err = false): void {
  const last = world.logs.at(-1)?.at ?? 0n;
  const now = BigInt(Date.now()) * 1_000_000n;
  world.logs.push({ at: now > last ? now : last + 1n, source, text, err, app });
}

export const list = page;
export const theDomain = domain;
export const theSpace = space;
export const sha1 = (bytes: Buffer) => createHash("sha1").update(bytes).digest("hex");

/** Gives the person a login, without the time that typing it takes. */
export async function signIn({ url, tokens }: FakeCluster, { home }: { home: string }): Promise<void> {
  const accessToken = randomUUID();
  tokens.add(accessToken);
  const where = { organization: { guid: "org-1", name: "acme" }, space: theSpace("dev") };
  const config = { target: url, login: url, user: "me@example.com", accessToken, ...where };
  await writeFile(join(home, "config.json"), JSON.stringify(config), { mode: 0o600 });
}
