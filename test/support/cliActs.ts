import { randomUUID } from "node:crypto";
import { type Ask, type FakeApp, type Json, logLine, theDomain, type World } from "./cli.ts";

// What the requests of test/support/cliRoutes.ts do.

export const body = ({ bytes }: Ask): Json => (bytes.length ? (JSON.parse(bytes.toString()) as Json) : {});
export const now = () => new Date().toISOString();
export const guidIn = (value: unknown) => ((value as { data?: { guid?: string } })?.data?.guid ?? "") as string;

export const matches = (query: URLSearchParams, name: string, value: string) =>
  !query.has(name) || query.get(name)?.split(",").includes(value) === true;
export const shown = ({ env: _env, droplet: _droplet, ...rest }: FakeApp) => rest;
export const destinations = (apps: string[]) =>
  apps.map((guid) => ({ guid: `to-${guid}`, app: { guid, process: { type: "web" } } }));
export const shownRoute = ({ apps, ...rest }: Json & { host: string; path: string; apps: string[] }) => ({
  ...rest,
  url: `${rest.host}.${theDomain.name}${rest.path}`,
  destinations: destinations(apps),
});

export function droplet(guid: string | undefined): Json | undefined {
  return guid
    ? {
        guid,
        state: "STAGED",
        process_types: { web: "node app.js" },
        buildpacks: [{ name: "nodejs", detect_output: "nodejs" }],
        links: {},
      }
    : undefined;
}

export function createApp(ask: Ask): Json {
  const asked = body(ask);
  const guid = randomUUID();
  const app: FakeApp = {
    guid,
    name: String(asked["name"]),
    state: "STOPPED",
    created_at: now(),
    updated_at: now(),
    env: (asked["environment_variables"] as Record<string, string>) ?? {},
  };
  ask.world.apps.set(guid, app);
  ask.world.processes.set(guid, {
    guid,
    app: guid,
    type: "web",
    command: null,
    instances: 1,
    memory_in_mb: 256,
    disk_in_mb: 1024,
    health_check: { type: "port", data: { timeout: null } },
    relationships: { app: { data: { guid } } },
  });
  return shown(app);
}

export function deleteApp({ world }: Ask, [guid = ""]: string[]): Json {
  world.apps.delete(guid);
  for (const route of world.routes.values()) route.apps = route.apps.filter((each) => each !== guid);
  return { $status: 202, $location: "http://elsewhere/v3/jobs/1" };
}

export function changeEnv(ask: Ask, [guid = ""]: string[]): Json {
  const app = ask.world.apps.get(guid) as FakeApp;
  const change = body(ask)["var"] as Record<string, string | null>;
  const all = Object.entries({ ...app.env, ...change }).filter((pair): pair is [string, string] => pair[1] !== null);
  app.env = Object.fromEntries(all);
  return { var: app.env };
}

export function assign(ask: Ask, [guid = ""]: string[]): Json {
  const app = ask.world.apps.get(guid) as FakeApp;
  app.droplet = guidIn(body(ask));
  return { data: { guid: app.droplet } };
}

export function action({ world }: Ask, [guid = "", deed]: string[]): Json {
  const app = world.apps.get(guid) as FakeApp;
  app.state = deed === "stop" ? "STOPPED" : "STARTED";
  return { ...shown(app), $status: 200 };
}

export function changeProcess(ask: Ask, [guid = ""]: string[]): Json {
  return { ...Object.assign(ask.world.processes.get(guid) as Json, body(ask)), $status: 200 };
}

export const instanceOf: Record<World["behaviour"], Json> = {
  runs: { state: "RUNNING", uptime: 3, usage: { cpu: 0.01, mem: 20_000_000, disk: 1_000_000 }, mem_quota: 268_435_456 },
  crashes: { state: "CRASHED", details: "exit status 1: exited at once" },
  homeless: { state: "DOWN", details: "no DEA has 256 MiB free" },
  silent: { state: "STARTING", details: null },
  unstageable: { state: "DOWN", details: null },
};

export function stats({ world }: Ask, [guid = ""]: string[]): Json {
  const process = world.processes.get(guid);
  const count = Number(process?.["instances"] ?? 1);
  return {
    resources: Array.from({ length: count }, (_, index) => ({ type: "web", index, ...instanceOf[world.behaviour] })),
  };
}

export function createPackage(ask: Ask): Json {
  const app = guidIn((body(ask)["relationships"] as Json)["app"]);
  const one = { guid: randomUUID(), app, state: "AWAITING_UPLOAD", data: {} };
  ask.world.packages.set(one.guid, one);
  return one;
}

export function upload({ world, bytes }: Ask, [guid = ""]: string[]): Json {
  const one = Object.assign(world.packages.get(guid) as Json & { guid: string; app: string }, {
    state: "READY",
    bytes,
  });
  return { guid: one.guid, state: one["state"], $status: 200 };
}

export function createBuild(ask: Ask): Json {
  const bits = ask.world.packages.get((body(ask)["package"] as { guid: string }).guid);
  const app = String(bits?.app);
  const failed = ask.world.behaviour === "unstageable";
  const lines = [
    "Framework: nodejs (there is a package.json)",
    "$ npm ci",
    "Packed the droplet: 12 KiB in 0.01 s",
    "Uploaded the droplet abc",
  ];
  for (const line of failed ? ["npm error missing lockfile"] : lines) logLine(ask.world, app, "STG", line);
  const outcome = failed
    ? { state: "FAILED", error: "StagerFail/StagingPluginError: npm ci failed with exit code 1" }
    : { state: "STAGED", error: null, droplet: { guid: `droplet-${randomUUID()}` } };
  const one = { guid: randomUUID(), app, ...outcome };
  ask.world.builds.set(one.guid, one);
  return one;
}

export function deploy(ask: Ask): Json {
  const asked = body(ask);
  const app = ask.world.apps.get(guidIn((asked["relationships"] as Json)["app"])) as FakeApp;
  const fine = ask.world.behaviour === "runs";
  if (fine) app.droplet = (asked["droplet"] as { guid?: string } | undefined)?.guid ?? app.droplet;
  const one = {
    guid: randomUUID(),
    status: fine ? { value: "FINALIZED", reason: "DEPLOYED" } : { value: "ACTIVE", reason: "DEPLOYING" },
    new_processes: [{ guid: app.guid, type: "web" }],
  };
  ask.world.deployments.set(one.guid, one);
  return one;
}

export function cancel({ world }: Ask, [guid = ""]: string[]): Json {
  Object.assign(world.deployments.get(guid) as Json, { status: { value: "FINALIZED", reason: "CANCELED" } });
  return { $status: 200 };
}

export function createRoute(ask: Ask): Json {
  const { host = "", path = "" } = body(ask) as { host?: string; path?: string };
  if (host === "api") {
    const detail = "Route conflicts with a reserved system route.";
    return { $status: 422, errors: [{ code: 10008, title: "CF-UnprocessableEntity", detail }] };
  }
  const one = {
    guid: randomUUID(),
    host,
    path,
    apps: [] as string[],
    relationships: { space: { data: { guid: "space-dev" } } },
  };
  ask.world.routes.set(one.guid, one);
  return shownRoute(one);
}

export function addDestination(ask: Ask, [guid = ""]: string[]): Json {
  const asked = body(ask)["destinations"] as { app: { guid: string } }[];
  ask.world.routes.get(guid)?.apps.push(...asked.map((each) => each.app.guid));
  return { $status: 200, destinations: [] };
}

export function removeDestination({ world }: Ask, [guid = "", to]: string[]): Json {
  const route = world.routes.get(guid);
  if (route) route.apps = route.apps.filter((app) => `to-${app}` !== to);
  return { $status: 204 };
}

export function readLog({ world, query }: Ask, [app]: string[]): Json {
  const start = BigInt(query.get("start_time") ?? "0");
  const lines = world.logs.filter((line) => line.app === app && line.at >= start);
  const limit = Number(query.get("limit") ?? 100);
  const chosen = query.get("descending") ? lines.slice(-limit).reverse() : lines.slice(0, limit);
  return {
    envelopes: {
      batch: chosen.map(({ at, source, text, err }) => ({
        timestamp: String(at),
        source_id: app,
        instance_id: "0",
        tags: { source_type: source },
        log: { payload: Buffer.from(text).toString("base64"), type: err ? "ERR" : "OUT" },
      })),
    },
  };
}
