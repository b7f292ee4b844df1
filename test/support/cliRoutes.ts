import { randomUUID } from "node:crypto";
import { type Ask, type FakeApp, type Json, list, logLine, theDomain, theSpace, type World } from "./cli.ts";

// What the stand-in of test/support/cli.ts answers, by method and path.

type Act = (ask: Ask, found: string[]) => Json | undefined;
const body = ({ bytes }: Ask): Json => (bytes.length ? (JSON.parse(bytes.toString()) as Json) : {});
const now = () => new Date().toISOString();
const guidIn = (value: unknown) => ((value as { data?: { guid?: string } })?.data?.guid ?? "") as string;

export const routes: readonly [string, Act][] = [
  ["GET /v3/info", () => ({ name: "tutti", build: "0.1.0", custom: { domain: theDomain.name } })],
  ["GET /v3/organizations", () => list([{ guid: "org-1", name: "acme" }])],
  [
    "GET /v3/spaces",
    ({ world, query }) => list(world.spaces.map(theSpace).filter((each) => matches(query, "names", each.name))),
  ],
  ["GET /v3/domains", () => list([theDomain])],
  [
    "GET /v3/apps",
    ({ world, query }) =>
      list([...world.apps.values()].filter((each) => matches(query, "names", each.name)).map(shown)),
  ],
  ["POST /v3/apps", createApp],
  ["GET /v3/apps/([^/]+)", ({ world }, [guid = ""]) => world.apps.get(guid) && shown(world.apps.get(guid) as FakeApp)],
  ["PATCH /v3/apps/([^/]+)", (ask, [guid = ""]) => ({ ...shown(ask.world.apps.get(guid) as FakeApp), ...body(ask) })],
  ["DELETE /v3/apps/([^/]+)", deleteApp],
  ["GET /v3/jobs/.*", () => ({ state: "COMPLETE" })],
  ["GET /v3/apps/([^/]+)/environment_variables", ({ world }, [guid = ""]) => ({ var: world.apps.get(guid)?.env })],
  ["PATCH /v3/apps/([^/]+)/environment_variables", changeEnv],
  [
    "GET /v3/apps/([^/]+)/processes",
    ({ world }, [guid]) => list([...world.processes.values()].filter((each) => each.app === guid)),
  ],
  [
    "GET /v3/apps/([^/]+)/routes",
    ({ world }, [guid = ""]) =>
      list([...world.routes.values()].filter((each) => each.apps.includes(guid)).map(shownRoute)),
  ],
  [
    "GET /v3/apps/([^/]+)/packages",
    ({ world }, [guid]) =>
      list(
        [...world.packages.values()]
          .filter((each) => each.app === guid)
          .map(({ bytes: _, ...rest }) => rest)
          .reverse(),
      ),
  ],
  ["GET /v3/apps/([^/]+)/droplets/current", ({ world }, [guid = ""]) => droplet(world.apps.get(guid)?.droplet)],
  ["PATCH /v3/apps/([^/]+)/relationships/current_droplet", assign],
  ["POST /v3/apps/([^/]+)/actions/(start|stop|restart)", action],
  ["GET /v3/processes/([^/]+)", ({ world }, [guid = ""]) => world.processes.get(guid)],
  ["PATCH /v3/processes/([^/]+)", changeProcess],
  ["POST /v3/processes/([^/]+)/actions/scale", changeProcess],
  ["GET /v3/processes/([^/]+)/stats", stats],
  [
    "POST /v3/resource_matches",
    (ask) => ({
      resources: (body(ask)["resources"] as { checksum: { value: string } }[]).filter((each) =>
        ask.world.resources.has(each.checksum.value),
      ),
      $status: 201,
    }),
  ],
  ["POST /v3/packages", createPackage],
  ["GET /v3/packages/([^/]+)", ({ world }, [guid = ""]) => ({ ...world.packages.get(guid), bytes: undefined })],
  ["POST /v3/packages/([^/]+)/upload", upload],
  ["POST /v3/builds", createBuild],
  ["GET /v3/builds/([^/]+)", ({ world }, [guid = ""]) => world.builds.get(guid)],
  ["GET /v3/droplets/([^/]+)", (_ask, [guid]) => droplet(guid)],
  [
    "GET /v3/deployments",
    ({ world }) =>
      list([...world.deployments.values()].filter((each) => (each["status"] as Json)["value"] === "ACTIVE")),
  ],
  ["POST /v3/deployments", deploy],
  ["GET /v3/deployments/([^/]+)", ({ world }, [guid = ""]) => world.deployments.get(guid)],
  ["POST /v3/deployments/([^/]+)/actions/cancel", cancel],
  [
    "GET /v3/routes",
    ({ world, query }) =>
      list([...world.routes.values()].filter((each) => matches(query, "hosts", each.host)).map(shownRoute)),
  ],
  ["POST /v3/routes", createRoute],
  ["DELETE /v3/routes/([^/]+)", ({ world }, [guid = ""]) => ({ $status: world.routes.delete(guid) ? 202 : 404 })],
  [
    "GET /v3/routes/([^/]+)/destinations",
    ({ world }, [guid = ""]) => ({ destinations: destinations(world.routes.get(guid)?.apps ?? []) }),
  ],
  ["POST /v3/routes/([^/]+)/destinations", addDestination],
  ["DELETE /v3/routes/([^/]+)/destinations/([^/]+)", removeDestination],
  [
    "GET /v3/audit_events",
    () =>
      list([
        {
          guid: "e1",
          created_at: now(),
          type: "audit.app.create",
          actor: { name: "me@example.com" },
          target: { guid: "x", name: "hello", type: "app" },
          data: { request: {} },
        },
      ]),
  ],
  ["GET /api/v1/read/([^/]+)", readLog],
  [
    "GET /tutti/nodes",
    () => ({
      resources: [
        {
          id: "solo-0",
          address: "127.0.0.1",
          version: "0.1.0",
          state: "UP",
          roles: ["core", "router"],
          components: [{ name: "router", state: "ready", since: 1 }],
          seen: Date.now(),
        },
      ],
    }),
  ],
  [
    "GET /tutti/components",
    () => ({
      resources: [
        { type: "Router", index: 0, uuid: "0-abc", host: "127.0.0.1:1", uptime: "0d:0h:1m:2s", healthy: true },
      ],
    }),
  ],
  [
    "GET /tutti/trace/([^/]+)",
    () => ({
      resources: [
        { at: 1000, subject: "vcap.stager.staging", what: "controller asks the stagers" },
        { at: 1500, subject: "dea.discover", what: "controller asks all DEAs" },
        { at: 1510, subject: "dea.abc.start", what: "controller tells a DEA" },
        { at: 1700, subject: "router.register", what: "a DEA tells the routers" },
      ],
    }),
  ],
];

const matches = (query: URLSearchParams, name: string, value: string) =>
  !query.has(name) || query.get(name)?.split(",").includes(value) === true;
const shown = ({ env: _env, droplet: _droplet, ...rest }: FakeApp) => rest;
const destinations = (apps: string[]) =>
  apps.map((guid) => ({ guid: `to-${guid}`, app: { guid, process: { type: "web" } } }));
const shownRoute = ({ apps, ...rest }: Json & { host: string; path: string; apps: string[] }) => ({
  ...rest,
  url: `${rest.host}.${theDomain.name}${rest.path}`,
  destinations: destinations(apps),
});

function droplet(guid: string | undefined): Json | undefined {
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

function createApp(ask: Ask): Json {
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
  });
  return shown(app);
}

function deleteApp({ world }: Ask, [guid = ""]: string[]): Json {
  world.apps.delete(guid);
  for (const route of world.routes.values()) route.apps = route.apps.filter((each) => each !== guid);
  return { $status: 202, $location: "http://elsewhere/v3/jobs/1" };
}

function changeEnv(ask: Ask, [guid = ""]: string[]): Json {
  const app = ask.world.apps.get(guid) as FakeApp;
  const change = body(ask)["var"] as Record<string, string | null>;
  const all = Object.entries({ ...app.env, ...change }).filter((pair): pair is [string, string] => pair[1] !== null);
  app.env = Object.fromEntries(all);
  return { var: app.env };
}

function assign(ask: Ask, [guid = ""]: string[]): Json {
  const app = ask.world.apps.get(guid) as FakeApp;
  app.droplet = guidIn(body(ask));
  return { data: { guid: app.droplet } };
}

function action({ world }: Ask, [guid = "", deed]: string[]): Json {
  const app = world.apps.get(guid) as FakeApp;
  app.state = deed === "stop" ? "STOPPED" : "STARTED";
  return { ...shown(app), $status: 200 };
}

function changeProcess(ask: Ask, [guid = ""]: string[]): Json {
  return { ...Object.assign(ask.world.processes.get(guid) as Json, body(ask)), $status: 200 };
}

const instanceOf: Record<World["behaviour"], Json> = {
  runs: { state: "RUNNING", uptime: 3, usage: { cpu: 0.01, mem: 20_000_000, disk: 1_000_000 }, mem_quota: 268_435_456 },
  crashes: { state: "CRASHED", details: "exit status 1: exited at once" },
  homeless: { state: "DOWN", details: "no DEA has 256 MiB free" },
  silent: { state: "STARTING", details: null },
  unstageable: { state: "DOWN", details: null },
};

function stats({ world }: Ask, [guid = ""]: string[]): Json {
  const process = world.processes.get(guid);
  const count = Number(process?.["instances"] ?? 1);
  return {
    resources: Array.from({ length: count }, (_, index) => ({ type: "web", index, ...instanceOf[world.behaviour] })),
  };
}

function createPackage(ask: Ask): Json {
  const app = guidIn((body(ask)["relationships"] as Json)["app"]);
  const one = { guid: randomUUID(), app, state: "AWAITING_UPLOAD", data: {} };
  ask.world.packages.set(one.guid, one);
  return one;
}

function upload({ world, bytes }: Ask, [guid = ""]: string[]): Json {
  const one = Object.assign(world.packages.get(guid) as Json & { guid: string; app: string }, {
    state: "READY",
    bytes,
  });
  return { guid: one.guid, state: one["state"], $status: 200 };
}

function createBuild(ask: Ask): Json {
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

function deploy(ask: Ask): Json {
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

function cancel({ world }: Ask, [guid = ""]: string[]): Json {
  Object.assign(world.deployments.get(guid) as Json, { status: { value: "FINALIZED", reason: "CANCELED" } });
  return { $status: 200 };
}

function createRoute(ask: Ask): Json {
  const { host = "", path = "" } = body(ask) as { host?: string; path?: string };
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

function addDestination(ask: Ask, [guid = ""]: string[]): Json {
  const asked = body(ask)["destinations"] as { app: { guid: string } }[];
  ask.world.routes.get(guid)?.apps.push(...asked.map((each) => each.app.guid));
  return { $status: 200, destinations: [] };
}

function removeDestination({ world }: Ask, [guid = "", to]: string[]): Json {
  const route = world.routes.get(guid);
  if (route) route.apps = route.apps.filter((app) => `to-${app}` !== to);
  return { $status: 204 };
}

function readLog({ world, query }: Ask, [app]: string[]): Json {
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
